package git

import (
	"fmt"
	"strings"

	"github.com/go-git/go-git/v6/plumbing/object"
	"golang.org/x/text/unicode/norm"
)

const maxName = 255 // what file systems have room for

// nameFault is what is wrong with the name of an entry of a tree; empty if nothing is.
func nameFault(name string) string {
	folded := strings.ToLower(name)
	switch {
	case name == "", name == ".", name == "..":
		return "is no name"
	case strings.ContainsAny(name, "/\\\x00"):
		return "has a slash or a NUL in it"
	case len(name) > maxName:
		return fmt.Sprintf("is longer than %d bytes", maxName)
	case folded == ".git", folded == "git~1":
		return "is git's own"
	}
	return ""
}

// twins are two entries of one folder that are one file on a disk which does not tell
// upper from lower case, or two ways to write é.
func twins(entries []object.TreeEntry) (a, b string) {
	seen := make(map[string]string, len(entries))
	for _, e := range entries {
		key := norm.NFC.String(strings.ToLower(e.Name))
		if other, ok := seen[key]; ok {
			return other, e.Name
		}
		seen[key] = e.Name
	}
	return "", ""
}
