package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v6/plumbing"
	"github.com/go-git/go-git/v6/plumbing/filemode"
	"github.com/go-git/go-git/v6/plumbing/object"
)

// Limits of a tree beside those of Options.
const (
	maxLink  = 4096 // length of a link's target
	maxDepth = 64   // folders in folders
)

// checkout writes what a commit holds below one folder of the repository. Everything
// goes through root, which follows no link out of it, and nothing is written twice.
type checkout struct {
	ctx     context.Context
	objects *objects
	root    *os.Root
	bytes   int64 // that may still be written
	entries int   // likewise
	max     Options
	// submodules are the paths of those that were left out.
	submodules []string
}

// write fills dir, which is empty and stays so if the answer is an error that matters.
func (s *Source) write(ctx context.Context, o *objects, commit *object.Commit, dir string) (submodules []string, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	c := &checkout{ctx: ctx, objects: o, root: root, bytes: s.MaxBytes, entries: s.MaxFiles, max: s.Options}
	tree, err := object.GetTree(o, commit.TreeHash)
	if err != nil {
		return nil, err
	}
	if tree, err = c.descend(tree, s.Path); err != nil {
		return nil, err
	}
	if err := root.MkdirAll(filepath.FromSlash(orElse(s.Path, ".")), 0o755); err != nil {
		return nil, err
	}
	if err := c.tree(tree, s.Path, 0); err != nil {
		return nil, err
	}
	return c.submodules, durable(root)
}

// descend finds the folder that the policies are in.
func (c *checkout) descend(tree *object.Tree, folder string) (*object.Tree, error) {
	if folder == "" {
		return tree, nil
	}
	for part := range strings.SplitSeq(folder, "/") {
		var next *object.Tree
		for _, e := range tree.Entries {
			if e.Name == part && e.Mode == filemode.Dir {
				found, err := object.GetTree(c.objects, e.Hash)
				if err != nil {
					return nil, err
				}
				next = found
			}
		}
		if next == nil {
			return nil, refusal(fmt.Sprintf("it has no folder %s; push one, or name the folder that holds the policies", folder))
		}
		tree = next
	}
	return tree, nil
}

func (c *checkout) tree(tree *object.Tree, folder string, depth int) error {
	if depth > maxDepth {
		return refusal(fmt.Sprintf("%s is nested deeper than %d folders", folder, maxDepth))
	}
	for _, e := range tree.Entries {
		if fault := nameFault(e.Name); fault != "" {
			return refusal(fmt.Sprintf("the name %q in folder %s %s; rename it", e.Name, orElse(folder, "/"), fault))
		}
	}
	if a, b := twins(tree.Entries); a != "" {
		return refusal(fmt.Sprintf("%q and %q are one file on some disks; rename one", path.Join(folder, a), path.Join(folder, b)))
	}
	for _, e := range tree.Entries {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if c.entries--; c.entries < 0 {
			return refusal(fmt.Sprintf("folder %s holds more than %d files; name a smaller one", orElse(c.max.Path, "/"), c.max.MaxFiles))
		}
		if err := c.entry(e, path.Join(folder, e.Name), depth); err != nil {
			return err
		}
	}
	return nil
}

func (c *checkout) entry(e object.TreeEntry, name string, depth int) error {
	local := filepath.FromSlash(name)
	switch e.Mode {
	case filemode.Dir:
		next, err := object.GetTree(c.objects, e.Hash)
		if err != nil {
			return err
		}
		if err := c.root.Mkdir(local, 0o755); err != nil {
			return err
		}
		return c.tree(next, name, depth+1)
	case filemode.Submodule:
		c.submodules = append(c.submodules, name)
		return nil
	case filemode.Symlink:
		return c.link(e.Hash, local, name)
	case filemode.Regular, filemode.Executable, filemode.Deprecated:
		return c.file(e.Hash, local)
	}
	return refusal(fmt.Sprintf("%s is neither a file nor a folder nor a link", name))
}

// blob opens what an entry holds, if there is room for it.
func (c *checkout) blob(hash plumbing.Hash) (io.ReadCloser, int64, error) {
	size, err := c.objects.EncodedObjectSize(hash)
	if err != nil {
		return nil, 0, err
	}
	if c.bytes -= size; c.bytes < 0 {
		return nil, 0, refusal(fmt.Sprintf("folder %s holds more than %d MiB; name a smaller one", orElse(c.max.Path, "/"), c.max.MaxBytes>>20))
	}
	blob, err := object.GetBlob(c.objects, hash)
	if err != nil {
		return nil, 0, err
	}
	reader, err := blob.Reader()
	return reader, size, err
}

func (c *checkout) file(hash plumbing.Hash, local string) error {
	from, size, err := c.blob(hash)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := c.root.OpenFile(local, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, io.LimitReader(from, size))
	return errors.Join(err, to.Close())
}

// link writes a link as such. Where it leads is looked at when it is read.
func (c *checkout) link(hash plumbing.Hash, local, name string) error {
	from, size, err := c.blob(hash)
	if err != nil {
		return err
	}
	defer from.Close()
	if size > maxLink {
		return refusal(fmt.Sprintf("link %s is longer than %d bytes", name, maxLink))
	}
	target, err := io.ReadAll(io.LimitReader(from, size))
	if err != nil {
		return err
	}
	if len(target) == 0 || strings.ContainsRune(string(target), 0) {
		return refusal(fmt.Sprintf("link %s leads to no name", name))
	}
	return c.root.Symlink(string(target), local)
}
