package git

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// durable returns once all that was written below root is on the disk. One call for
// the file system: thousands of small files, each flushed by itself, take minutes.
func durable(root *os.Root) error {
	folder, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(os.NewSyscallError("syncfs", unix.Syncfs(int(folder.Fd()))), folder.Close())
}
