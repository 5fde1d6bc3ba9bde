//go:build !linux

package git

import (
	"errors"
	"io/fs"
	"os"
)

// durable returns once all that was written below root is on the disk.
func durable(root *os.Root) error {
	return fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.Type()&fs.ModeSymlink != 0 {
			return err
		}
		opened, err := root.Open(name)
		if err != nil {
			return err
		}
		return errors.Join(opened.Sync(), opened.Close())
	})
}
