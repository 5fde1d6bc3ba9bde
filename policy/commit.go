package policy

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Commit names a commit of a repository that holds policies.
type Commit struct {
	Repository string `json:"repository"` // URL, without credentials
	Ref        string `json:"ref"`        // branch or tag, as configured
	ID         string `json:"id"`         // whole hash, hex
	Author     string `json:"author"`     // "Ann Smith <ann@example.org>"
	// Committer is who put it into the repository, if that is not the author.
	Committer string    `json:"committer,omitempty"`
	At        time.Time `json:"at"` // when it was committed
	Subject   string    `json:"subject,omitempty"`
	// SignedBy is the key that the signature was checked against; empty if none was asked for.
	SignedBy string `json:"signedBy,omitempty"`
}

// Short is the beginning of the hash, as people write it.
func (c *Commit) Short() string {
	const length = 10
	if len(c.ID) <= length {
		return c.ID
	}
	return c.ID[:length]
}

// String is file:line and, of a policy from a repository, the commit.
func (s Source) String() string {
	place := fmt.Sprintf("%s:%d", s.File, s.Line)
	if s.Commit != nil {
		place += "@" + s.Commit.Short()
	}
	return place
}

// Of says that the reading is of commit c: its documents come from it, they are in
// force all together or not at all, and files are named as the repository names
// them, not by where its files lie on this machine: folder, the place of the
// repository's root, is cut off.
func (r Reading) Of(c Commit, folder string) Reading {
	folder = filepath.Clean(folder)
	inRepository := strings.NewReplacer(folder+string(filepath.Separator), "", folder, ".")
	named := func(path string) string { return filepath.ToSlash(moved(path, folder, ".")) }
	r.Commit = &c
	r.Dir = named(r.Dir)
	r.documents = slices.Clone(r.documents)
	for i := range r.documents {
		d := &r.documents[i]
		d.file, d.line, d.named = named(d.file), d.line.renamed(named), named
		if d.model != nil {
			m := *d.model
			m.Source.File, m.Source.Commit, m.Source.Defaults = d.file, &c, d.line.inheritedFiles()
			d.model = &m
		}
		if d.fleet != nil {
			f := *d.fleet
			f.Source.File, f.Source.Commit = d.file, &c
			d.fleet = &f
		}
	}
	r.Problems = slices.Clone(r.Problems)
	for i := range r.Problems {
		p := &r.Problems[i]
		p.File, p.Message = named(p.File), inRepository.Replace(p.Message)
	}
	return r
}
