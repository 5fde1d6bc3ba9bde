package lab

import (
	"fmt"
	"os"
	"path/filepath"
)

// FindPython is the path of a Python that has the packages of
// tools/python-requirements.txt: $PYTHON_MODELS, or the virtual environment
// .tools/python here or in a folder above.
func FindPython() (string, error) { return findPython("python", "PYTHON_MODELS", "tools/get-python") }

// FindKServe is the path of a Python that has the packages of
// tools/kserve-requirements.txt: $PYTHON_KSERVE, or .tools/kserve.
func FindKServe() (string, error) {
	return findPython("kserve", "PYTHON_KSERVE", "tools/get-python kserve")
}

func findPython(name, variable, recipe string) (string, error) {
	if path := os.Getenv(variable); path != "" {
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find Python: %w", err)
	}
	for ; ; dir = filepath.Dir(dir) {
		home := filepath.Join(dir, ".tools", name)
		// The environment is whole once this file is there.
		if _, err := os.Stat(filepath.Join(home, "requirements.txt")); err == nil {
			return filepath.Join(home, "bin", "python"), nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("a Python with the model servers is not there: run %s, or set $%s", recipe, variable)
		}
	}
}
