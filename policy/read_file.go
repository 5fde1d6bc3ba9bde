package policy

import (
	"os"
	"path/filepath"
)

// readFile reads one file as if its folder were the policy folder: with the
// Defaults of that folder, whichever file holds them, and nothing else of it.
func readFile(path string) Reading {
	r, folder := Reading{}, filepath.Dir(path)
	root := ground{folder, folder}
	r.add(path, root)
	entries, err := os.ReadDir(folder)
	if err != nil {
		entries = nil // the file is read all the same: it may have been named outright
	}
	for _, entry := range entries {
		other := filepath.Join(folder, entry.Name())
		if entry.IsDir() || !isPolicyFile(other) || other == filepath.Clean(path) || entry.Name()[0] == '.' {
			continue
		}
		r.addDefaults(other, root)
	}
	r.build(root)
	return r
}

// addDefaults reads the Defaults of one file, and what keeps them from being read.
func (r *Reading) addDefaults(file string, root ground) {
	other := Reading{}
	other.add(file, root)
	for _, d := range other.documents {
		if d.kind == kindDefaults {
			r.documents = append(r.documents, d)
			r.Problems = append(r.Problems, d.broken...)
		}
	}
}
