package registry

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxBytes bounds all definition files together.
const maxBytes = 16 << 20

// digest tells whether files have changed.
type digest [sha256.Size]byte

// text is one file as it was read.
type text struct {
	name  string // as errors show it
	bytes []byte
}

// definitions are the services of all files, with ids that differ.
type definitions []definition

// parseAll parses the files and gives the errors of all of them.
func parseAll(texts []text) (definitions, error) {
	var all definitions
	var broken []error
	for _, t := range texts {
		some, err := parse(t)
		if err != nil {
			broken = append(broken, err)
		}
		all = append(all, some...)
	}
	if len(broken) == 0 {
		broken = append(broken, all.checkIDs())
	}
	return all, errors.Join(broken...)
}

func digestOf(texts []text) digest {
	h := sha256.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%q %d\n", t.name, len(t.bytes))
		h.Write(t.bytes)
	}
	return digest(h.Sum(nil))
}

// load reads the file, or all definition files of the folder in their order.
func (f *File) load() ([]text, error) {
	names := []string{f.path}
	if isFolder(f.path) {
		var err error
		if names, err = definitionFiles(f.path); err != nil {
			return nil, err
		}
	}
	var texts []text
	left := maxBytes
	for _, name := range names {
		b, err := readAtMost(name, left)
		if err != nil {
			return nil, err
		}
		left -= len(b)
		texts = append(texts, text{name: name, bytes: b})
	}
	return texts, nil
}

func definitionFiles(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("list registry folder: %w", err)
	}
	var names []string
	for _, e := range entries {
		name := filepath.Join(folder, e.Name())
		if isDefinition(e.Name()) && !isFolder(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// isDefinition leaves out what editors and copying tools put beside a file.
func isDefinition(name string) bool {
	return strings.HasSuffix(name, ".json") && !strings.HasPrefix(name, ".")
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// readAtMost refuses what is no plain file: opening a pipe would hang.
func readAtMost(name string, most int) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("read registry file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read registry file: %s is not a regular file", name)
	}
	in, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read registry file: %w", err)
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, int64(most)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read registry file: %w", err)
	case len(b) > most:
		return nil, fmt.Errorf("read registry file: %s: definitions are larger than %d MiB together", name, maxBytes>>20)
	}
	return b, nil
}

// checkIDs refuses an id that two definitions share.
func (d definitions) checkIDs() error {
	seen := map[string]definition{}
	for _, def := range d {
		if first, ok := seen[def.ID]; ok {
			return fmt.Errorf("%s: service id %q is taken by the service at %s; ids must differ", def.at, def.ID, first.at)
		}
		seen[def.ID] = def
	}
	return nil
}

// byName is what the definitions mean, by service name.
func (d definitions) byName() map[string][]instance {
	out := map[string][]instance{}
	for _, def := range d {
		out[def.Name] = append(out[def.Name], def.instance())
	}
	return out
}

// warnOfChecks says that checks in definitions have no effect here.
func (d definitions) warnOfChecks(log *slog.Logger) {
	i := slices.IndexFunc(d, func(def definition) bool {
		return def.Status == "" && (len(def.Check) > 0 || len(def.Checks) > 0)
	})
	if i >= 0 {
		log.Warn("checks of a definition are not run by the file registry; set its status instead",
			"service", d[i].ID, "at", d[i].at)
	}
}
