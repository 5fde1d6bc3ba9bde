package policy

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Limits of a policy folder; a wrong path such as / meets them early.
const (
	maxEntries     = 100_000
	maxFolderDepth = 32
)

// Reading is everything that one look at a policy folder found. It says
// nothing of what is in force: that is what Merge makes of it.
type Reading struct {
	Dir string
	// AllowRemoval: a policy whose document is gone is out of force. Without
	// it the last good policy stands.
	AllowRemoval bool
	// Fresh: the folder may be half written, so what is gone is not removed by this
	// reading even with AllowRemoval.
	Fresh bool
	// Err is set when the folder, or one below it, could not be read; then the
	// reading knows nothing.
	Err error
	// Files counts the policy files found.
	Files int
	// Problems is what is wrong within single files, sorted; what is wrong with an
	// inherited value is in it once for each model.
	Problems []Problem
	// Commit is set for a reading of a repository; then its documents are in force
	// all together or not at all.
	Commit *Commit

	documents []document
	folders   []string // every folder that was looked into, links resolved
	stamp     uint64   // see folderScan
}

// Read reads every *.yaml and *.yml file in dir and the folders below it.
// Names that begin with a dot are skipped. Links are followed as long as they
// stay in dir, so a mounted Kubernetes volume (fraud.yaml → ..data/fraud.yaml)
// reads well.
func Read(dir string) Reading { return ReadAs(dir, dir) }

// ReadAs reads dir as if it lay at name already: that is how the policies that it
// answers with name their files, and itself in problems.
func ReadAs(dir, name string) Reading {
	scan, root := scanFolder(dir), ground{named: name, disk: dir}
	if scan.err != nil {
		return Reading{Dir: name, Err: scan.err, folders: scan.folders}
	}
	r := Reading{Dir: name, folders: scan.folders, stamp: scan.stamp, Problems: scan.problems}
	for i := range r.Problems {
		r.Problems[i].File = root.name(r.Problems[i].File)
	}
	for _, file := range scan.files {
		r.add(file, root)
	}
	r.build(root)
	r.Problems = sortProblems(r.Problems)
	return r
}

// build makes policies of all documents.
func (r *Reading) build(root ground) {
	r.Problems = append(r.Problems, build(r.documents, root)...)
}

// add reads one file.
func (r *Reading) add(file string, root ground) {
	r.Files++
	content, problem := load(file)
	if problem != nil {
		problem.File = root.name(file)
		r.Problems = append(r.Problems, *problem)
		return
	}
	documents, problems := parseFile(root.name(file), content)
	r.documents = append(r.documents, documents...)
	r.Problems = append(r.Problems, problems...)
}

// Models lists the valid models in the order of their files. Two of them may
// have the same name.
func (r Reading) Models() []*Model {
	var models []*Model
	for _, d := range r.documents {
		if d.model != nil {
			models = append(models, d.model)
		}
	}
	return models
}

// folderScan is a policy folder's contents by name, before any file is read.
type folderScan struct {
	root    string
	files   []string
	folders []string
	// stamp changes whenever a file comes, goes or is written: it is made of
	// names, sizes, times and link targets.
	stamp    uint64
	problems []Problem
	err      error

	seen    map[string]bool
	entries int
}

func scanFolder(dir string) *folderScan {
	s := &folderScan{root: dir, seen: map[string]bool{}}
	digest := fnv.New64a()
	s.err = s.folder(dir, 0, func(text string) { digest.Write([]byte(text)) })
	s.stamp = digest.Sum64()
	return s
}

// folder looks into one folder once, under whatever name it comes.
func (s *folderScan) folder(dir string, depth int, note func(string)) error {
	real, err := resolve(dir)
	if err != nil {
		return fmt.Errorf("read policy folder: %w", err)
	}
	if s.seen[real] {
		return nil
	}
	s.seen[real] = true
	if depth > maxFolderDepth {
		return fmt.Errorf("read policy folder: %s is nested deeper than %d folders", dir, maxFolderDepth)
	}
	s.folders = append(s.folders, real)
	entries, err := os.ReadDir(real)
	if err != nil {
		return fmt.Errorf("read policy folder: %w", err)
	}
	for _, entry := range entries {
		if s.entries++; s.entries > maxEntries {
			return fmt.Errorf("read policy folder: %s holds more than %d files; is it the right folder?", s.root, maxEntries)
		}
		if err := s.entry(filepath.Join(dir, entry.Name()), entry, depth, note); err != nil {
			return err
		}
	}
	return nil
}

func (s *folderScan) entry(path string, entry fs.DirEntry, depth int, note func(string)) error {
	if strings.HasPrefix(entry.Name(), ".") {
		return nil
	}
	real := path
	if entry.Type()&fs.ModeSymlink != 0 {
		target, err := within(s.root, path)
		if err != nil {
			s.link(path, err)
			note(path + "!" + err.Error())
			return nil
		}
		real = target
	}
	info, err := os.Stat(real)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // went away since the folder was listed
	}
	if err != nil {
		return fmt.Errorf("read policy folder: %w", err)
	}
	if info.IsDir() {
		note(path)
		return s.folder(path, depth+1, note)
	}
	note(fmt.Sprintf("%s %s %d %d %d\n", path, real, info.Size(), info.ModTime().UnixNano(), info.Mode()))
	if isPolicyFile(path) {
		s.files = append(s.files, path)
	}
	return nil
}

// link notes a link that leads nowhere or out of the folder; other files than
// policies are nobody's business here.
func (s *folderScan) link(path string, err error) {
	rule, says := RuleUnreadable, reason(err)
	if errors.Is(err, errOutside) {
		rule, says = RuleFileOutside, err.Error()
	} else if !isPolicyFile(path) {
		return
	}
	s.problems = append(s.problems, Problem{File: path, Rule: rule, Message: "the link can't be followed: " + says})
}

func isPolicyFile(path string) bool {
	return slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(path))
}
