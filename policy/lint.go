package policy

import (
	"os"
	"path/filepath"
	"time"
)

// Lint reads policy files and folders and lists everything that is wrong with
// them, also between them, sorted. An empty list means that a server that is
// given these policies would put all of them in force.
func Lint(paths []string) []Problem {
	all := Reading{}
	for _, path := range paths {
		r := ReadPath(path)
		all.Files += r.Files
		all.documents = append(all.documents, r.documents...)
		all.Problems = append(all.Problems, r.Problems...)
	}
	return Merge(Set{}, all, time.Time{}).Problems
}

// ReadPath reads one file or folder. A file that is named is read whatever its
// name ends with.
func ReadPath(path string) Reading {
	info, err := os.Stat(path)
	if err != nil {
		return failed(path, RuleUnreadable, "it can't be read: "+reason(err))
	}
	if !info.IsDir() {
		r := Reading{}
		r.add(path, filepath.Dir(path))
		return r
	}
	r := Read(path)
	switch {
	case r.Err != nil:
		return failed(path, RuleUnreadable, r.Err.Error())
	case r.Files == 0 && len(r.Problems) == 0:
		return failed(path, RuleNoPolicies, "the folder holds no *.yaml or *.yml file; name the right one")
	}
	return r
}

func failed(path, rule, message string) Reading {
	return Reading{Problems: []Problem{{File: path, Rule: rule, Message: message}}}
}
