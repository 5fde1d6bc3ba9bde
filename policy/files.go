package policy

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// errOutside says that a path or a link leads out of the policy folder.
var errOutside = errors.New("it leads out of the policy folder")

// within resolves all links of path and makes sure that the answer lies in
// root, whose own links are resolved too.
func within(root, path string) (string, error) {
	realRoot, err := resolve(root)
	if err != nil {
		return "", err
	}
	real, err := resolve(path)
	if err != nil {
		return "", err
	}
	if !inside(realRoot, real) {
		return "", errOutside
	}
	return real, nil
}

func resolve(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(absolute)
}

// inside compares cleaned paths, without a look at the disk.
func inside(root, path string) bool {
	relative, err := filepath.Rel(root, path)
	return err == nil && filepath.IsLocal(relative)
}

// file checks a path that a policy names: relative to the file that writes it, inside
// the policy folder even after links are followed, and a regular file.
func (b *builder) file(path, written string) string {
	full := filepath.Join(b.folder(path), written)
	switch {
	case written == "" || strings.HasSuffix(written, "/"):
		b.refuse(path, RuleFileMissing, written, "name a file, relative to the policy file")
		return ""
	case filepath.IsAbs(written):
		b.refuse(path, RuleFileOutside, written, "a file is named relative to the policy file")
		return ""
	case !inside(filepath.Clean(b.root.named), full):
		b.refuse(path, RuleFileOutside, written, errOutside.Error()+" "+b.root.named)
		return ""
	}
	real, err := within(b.root.disk, b.root.onDisk(full))
	if errors.Is(err, errOutside) {
		b.refuse(path, RuleFileOutside, written, "a link on the way leads out of the policy folder "+b.root.named)
		return ""
	}
	var info fs.FileInfo
	if err == nil {
		info, err = os.Stat(real)
	}
	switch {
	case err != nil:
		b.refuse(path, RuleFileMissing, written, fmt.Sprintf("%s can't be opened: %s", full, reason(err)))
	case !info.Mode().IsRegular():
		b.refuse(path, RuleFileMissing, written, full+" is not a regular file")
	case holdsLFSPointer(real):
		b.refuse(path, RuleLFSPointer, written, full+" is "+lfsAdvice)
	}
	return full
}

// reason is an error of the operating system without the path, which may be
// resolved and say more than was asked.
func reason(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

// load reads one policy file; never more than the limit of it.
func load(file string) ([]byte, *Problem) {
	info, err := os.Stat(file)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return nil, &Problem{File: file, Rule: RuleUnreadable, Message: "the file can't be read: " + reason(err)}
	}
	opened, err := os.Open(file)
	if err != nil {
		return nil, &Problem{File: file, Rule: RuleUnreadable, Message: "the file can't be read: " + reason(err)}
	}
	defer opened.Close()
	content, err := io.ReadAll(io.LimitReader(opened, maxFileSize+1))
	switch {
	case err != nil:
		return nil, &Problem{File: file, Rule: RuleUnreadable, Message: "the file can't be read: " + reason(err)}
	case len(content) > maxFileSize:
		return nil, &Problem{File: file, Rule: RuleTooLarge, Message: fmt.Sprintf("the file is larger than the %d bytes that a policy file may have", maxFileSize)}
	}
	return content, nil
}
