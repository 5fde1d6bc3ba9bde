package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// OpenRegular opens a file, and refuses what could block or never end: pipes,
// devices, folders. It looks before it opens, for opening alone can do something
// to a device, and again after, for the file may be another by then; opening
// does not wait for a pipe's other end.
func OpenRegular(name string) (*os.File, os.FileInfo, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, fmt.Errorf("open file: %w", err)
	}
	irregular := &Error{File: filepath.Base(name), Problem: "not a regular file; folders, pipes and devices can't be read"}
	if !info.Mode().IsRegular() {
		return nil, nil, irregular
	}
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open file: %w", err)
	}
	info, err = file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = irregular
	}
	if err != nil {
		_ = file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

// Unchanged fails if somebody wrote to an open file since opened was asked of
// it. One that was replaced by another of its name is still the same.
func Unchanged(file *os.File, opened os.FileInfo) error {
	now, err := file.Stat()
	if err != nil {
		return fmt.Errorf("read file: %w", err)
	}
	if now.Size() != opened.Size() || !now.ModTime().Equal(opened.ModTime()) {
		return &Error{File: filepath.Base(file.Name()), Problem: "the file changed while it was read; write a new file and rename it into place"}
	}
	return nil
}
