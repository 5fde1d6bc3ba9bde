package serve_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"greenlight/cmd/greenlight/cli"
	"greenlight/cmd/greenlight/serve"
)

// execute runs `greenlight serve ARGS` as main does. A server that gets as far
// as listening is ended at once.
func execute(t *testing.T, args ...string) (code int, stderr string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var errs bytes.Buffer
	command := serve.CommandWith(serve.Options{
		Log:       slog.New(slog.DiscardHandler),
		Listening: func(serve.Addresses) { stop() },
	})
	code = cli.Execute(ctx, append([]string{"serve"}, args...), strings.NewReader(""), &bytes.Buffer{}, &errs, command)
	return code, errs.String()
}

// good is a command line that serves on free ports.
func good(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"policies/.keep": "", "instances.json": `{"services": []}`} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{
		"--policies=" + filepath.Join(dir, "policies"), "--data=" + filepath.Join(dir, "data"),
		"--registry=file:" + filepath.Join(dir, "instances.json"),
		"--xds=127.0.0.1:0", "--admin=127.0.0.1:0", "--http=127.0.0.1:0",
	}
}

func TestServesAndEnds(t *testing.T) {
	if code, stderr := execute(t, good(t)...); code != 0 || stderr != "" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestBadConfigurationIsWrongUsage(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "greenlight.yaml")
	if err := os.WriteFile(broken, []byte("leas: 5m\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		env  map[string]string
		want string
	}{
		"a rule":            {[]string{"--lease=0s"}, nil, "greenlight: lease = 0s; must be > 0\n"},
		"a log level":       {[]string{"--log-level=loud"}, nil, `greenlight: log-level = "loud"`},
		"a key":             {[]string{"--config=" + broken}, nil, `unknown key "leas"`},
		"a missing file":    {[]string{"--config=/nowhere.yaml"}, nil, "greenlight: read configuration: open /nowhere.yaml"},
		"a file by env":     {nil, map[string]string{"GREENLIGHT_CONFIG": broken}, `unknown key "leas"`},
		"a variable":        {nil, map[string]string{"GREENLIGHT_LEASE": "soon"}, `greenlight: GREENLIGHT_LEASE="soon"`},
		"a value":           {[]string{"--lease=soon"}, nil, "--lease"},
		"a flag":            {[]string{"--nope"}, nil, "unknown flag: --nope"},
		"an argument":       {[]string{"now"}, nil, `unexpected argument "now"`},
		"a misspelt folder": {[]string{"--policies=/nowhere"}, nil, "make the folder or name another one"},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			code, stderr := execute(t, append(good(t), c.args...)...)
			if code != 2 || !strings.Contains(stderr, c.want) {
				t.Errorf("exit code %d, want 2: %s, want %s", code, stderr, c.want)
			}
		})
	}
}

// What goes wrong on a machine, and not in the words, is no wrong usage.
func TestFailuresAreNoWrongUsage(t *testing.T) {
	for name, arg := range map[string]string{
		"data":    "--data=/dev/null/data",
		"address": "--xds=192.0.2.1:18000",
	} {
		t.Run(name, func(t *testing.T) {
			if code, stderr := execute(t, append(good(t), arg)...); code != 1 {
				t.Errorf("exit code %d, want 1: %s", code, stderr)
			}
		})
	}
}

func TestATakenAddressSaysWhatToDo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	want := "listen on " + address + ": bind: address already in use; free it, or name another one with --admin\n"
	if code, stderr := execute(t, append(good(t), "--admin="+address)...); code != 1 || !strings.HasSuffix(stderr, want) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestAFlagWinsOverTheConfigVariable(t *testing.T) {
	t.Setenv("GREENLIGHT_CONFIG", "/nowhere.yaml")
	fine := filepath.Join(t.TempDir(), "greenlight.yaml")
	if err := os.WriteFile(fine, []byte("lease: 5m\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, stderr := execute(t, append(good(t), "--config="+fine)...); code != 0 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
