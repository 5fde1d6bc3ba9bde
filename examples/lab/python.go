package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// FindPython is the path of a Python that has the packages of
// tools/python-requirements.txt: $PYTHON_MODELS, or the virtual environment
// .tools/python here or in a folder above.
func FindPython() (string, error) {
	if path := os.Getenv("PYTHON_MODELS"); path != "" {
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find Python: %w", err)
	}
	for ; ; dir = filepath.Dir(dir) {
		home := filepath.Join(dir, ".tools", "python")
		// The environment is whole once this file is there.
		if _, err := os.Stat(filepath.Join(home, "requirements.txt")); err == nil {
			return filepath.Join(home, "bin", "python"), nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("a Python with the model servers is not there: run tools/get-python, or set $PYTHON_MODELS")
		}
	}
}
