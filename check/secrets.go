package check

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"greenlight/policy"
)

// secretPrefix begins every environment variable that a policy may name, so
// that no policy can send away what the server needs for itself.
const secretPrefix = "GREENLIGHT_SECRET_"

// maxSecret bounds a secret in bytes.
const maxSecret = 64 << 10

// Secret is what s refers to, without the newline that editors put at a file's
// end. It is read anew each time. No error tells anything of it.
func (r *Runner) Secret(s policy.Secret) (string, error) {
	if s.Env != "" {
		return secretFromEnv(s.Env)
	}
	if r.opts.Secrets == "" {
		return "", fmt.Errorf("secret %s: no file may be a secret; name the folder of secrets with --check-secrets", s.File)
	}
	value, err := secretFromFile(r.opts.Secrets, s.File)
	if err != nil {
		return "", fmt.Errorf("secret %s: %w", s.File, err)
	}
	return value, nil
}

func secretFromEnv(name string) (string, error) {
	if !strings.HasPrefix(name, secretPrefix) {
		return "", fmt.Errorf("secret %s: the name must begin with %s", name, secretPrefix)
	}
	value := os.Getenv(name)
	switch {
	case value == "":
		return "", fmt.Errorf("secret %s: not set; set the variable for greenlight serve", name)
	case len(value) > maxSecret:
		return "", fmt.Errorf("secret %s: longer than %d bytes", name, maxSecret)
	}
	return value, nil
}

// secretFromFile reads a file below folder; no link leads out of there.
func secretFromFile(folder, name string) (string, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return "", fmt.Errorf("open the folder of secrets (--check-secrets): %w", err)
	}
	defer func() { _ = root.Close() }()
	info, err := root.Stat(name)
	if err != nil {
		return "", fmt.Errorf("look below the folder of secrets (--check-secrets): %w", err)
	}
	if !info.Mode().IsRegular() { // opening a pipe could take forever
		return "", errors.New("not a regular file")
	}
	file, err := root.Open(name)
	if err != nil {
		return "", fmt.Errorf("open: %w", err)
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read: %w", err)
	case len(data) > maxSecret:
		return "", fmt.Errorf("longer than %d bytes", maxSecret)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if value == "" {
		return "", errors.New("the file is empty")
	}
	return value, nil
}
