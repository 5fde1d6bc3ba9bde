package git

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"greenlight/policy"
)

// checkouts is the folder of checkouts on this machine:
//
//	current -> COMMIT    what is in force; policies name their files through it
//	previous -> COMMIT   what was before
//	COMMIT/              the policies as the commit has them
//	COMMIT.json          what the commit is
//	.greenlight-NAME     being written; of no worth after a crash
//
// A COMMIT folder is there whole or not at all.
type checkouts struct{ folder string }

const (
	current  = "current"
	previous = "previous"

	unfinished = ".greenlight-" // begins the names of what is being written
)

// record is what is kept of a commit beside its files.
type record struct {
	Commit policy.Commit `json:"commit"`
	Path   string        `json:"path"` // the folder that was checked out
	// Object is the commit as git has it, for its signature to be checked again.
	Object []byte `json:"object"`
}

// prepare makes the folder and removes what a crash left half done.
func (c checkouts) prepare() error {
	if err := os.MkdirAll(c.folder, 0o755); err != nil {
		return fmt.Errorf("make the folder for checkouts: %w", err)
	}
	entries, err := os.ReadDir(c.folder)
	if err != nil {
		return fmt.Errorf("look into the folder for checkouts: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), unfinished) {
			if err := os.RemoveAll(c.at(e.Name())); err != nil {
				return fmt.Errorf("remove a checkout that was not finished: %w", err)
			}
		}
	}
	return nil
}

func (c checkouts) at(name string) string { return filepath.Join(c.folder, name) }

// scratch makes a folder for what may be lost.
func (c checkouts) scratch(purpose string) (string, error) {
	return os.MkdirTemp(c.folder, unfinished+purpose+"-*")
}

var commitName = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// linked is the commit that a link names; empty if there is none.
func (c checkouts) linked(link string) string {
	target, err := os.Readlink(c.at(link))
	if err != nil || !commitName.MatchString(target) {
		return ""
	}
	return target
}

// link points a link at a commit, from one moment to the next.
func (c checkouts) link(link, id string) error {
	folder, err := c.scratch(link)
	if err != nil {
		return err
	}
	defer discard(folder)
	next := filepath.Join(folder, link)
	if err := os.Symlink(id, next); err != nil {
		return err
	}
	if err := os.Rename(next, c.at(link)); err != nil {
		return err
	}
	return c.sync()
}

// enforce makes a commit the current one.
func (c checkouts) enforce(id string) error {
	before := c.linked(current)
	if before == id {
		return nil
	}
	if before != "" {
		if err := c.link(previous, before); err != nil {
			return err
		}
	}
	return c.link(current, id)
}

// record reads what is kept of a commit; an error if the commit is not there whole.
func (c checkouts) record(id string) (record, error) {
	var r record
	content, err := os.ReadFile(c.at(id) + ".json")
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(content, &r); err != nil {
		return r, err
	}
	if r.Commit.ID != id {
		return r, fmt.Errorf("%s.json is of commit %s", id, r.Commit.ID)
	}
	_, err = os.Stat(c.at(id))
	return r, err
}

// keep moves a finished checkout to its place.
func (c checkouts) keep(folder string, r record) error {
	content, err := json.Marshal(r)
	if err != nil {
		return err
	}
	id := r.Commit.ID
	if err := c.replace(id+".json", content); err != nil {
		return err
	}
	if err := os.Chmod(folder, 0o755); err != nil { // os.MkdirTemp keeps it to itself
		return err
	}
	if _, err := os.Lstat(c.at(id)); err == nil { // of another Path
		old, err := c.scratch("old")
		if err != nil {
			return err
		}
		defer discard(old)
		if err := os.Rename(c.at(id), filepath.Join(old, id)); err != nil {
			return err
		}
	}
	if err := os.Rename(folder, c.at(id)); err != nil {
		return err
	}
	return c.sync()
}

// replace writes a file whole or not at all.
func (c checkouts) replace(name string, content []byte) error {
	file, err := os.CreateTemp(c.folder, unfinished+"record-*")
	if err != nil {
		return err
	}
	defer discard(file.Name())
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), c.at(name))
}

// prune removes every commit but the current one and the one before.
func (c checkouts) prune() error {
	entries, err := os.ReadDir(c.folder)
	if err != nil {
		return err
	}
	var failed []error
	for _, e := range entries {
		id := strings.TrimSuffix(e.Name(), ".json")
		if !commitName.MatchString(id) || id == c.linked(current) || id == c.linked(previous) {
			continue
		}
		failed = append(failed, os.RemoveAll(c.at(e.Name())))
	}
	return errors.Join(failed...)
}

func (c checkouts) sync() error {
	folder, err := os.Open(c.folder)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// discard removes what is of no more use; if that fails, the next start does it.
func discard(folder string) { _ = os.RemoveAll(folder) }
