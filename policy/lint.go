package policy

import (
	"os"
	"slices"
	"time"
)

// Lint reads policy files and folders and lists everything that is wrong with
// them or doubtful about them, also between them, sorted. A list without errors
// means that a server that is given these policies would put all of them in force.
// Warnings are only of policies that it would.
func Lint(paths []string) []Problem {
	all := Reading{}
	for _, path := range paths {
		r := ReadPath(path)
		all.Files += r.Files
		all.documents = append(all.documents, r.documents...)
		all.Problems = append(all.Problems, r.Problems...)
	}
	set := Merge(Set{}, all, time.Time{})
	return sortProblems(slices.Concat(set.Problems, set.Warnings))
}

// ReadPath reads one file or folder. A file that is named is read whatever its
// name ends with.
func ReadPath(path string) Reading {
	info, err := os.Stat(path)
	if err != nil {
		return failed(path, RuleUnreadable, "it can't be read: "+reason(err))
	}
	if !info.IsDir() {
		return readFile(path)
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
