package policy

import (
	"path/filepath"
	"strings"
)

// ground is a policy folder: how policies name it, and where it lies on disk while
// it is read. The two differ for a commit that is read before it is in force.
type ground struct{ named, disk string }

// onDisk is where a path below the named folder is found now.
func (g ground) onDisk(path string) string { return moved(path, g.named, g.disk) }

// name is how policies name what is found at a path on disk.
func (g ground) name(path string) string { return moved(path, g.disk, g.named) }

func moved(path, from, to string) string {
	if from == to {
		return path
	}
	rest, ok := strings.CutPrefix(filepath.Clean(path), filepath.Clean(from))
	if !ok || rest != "" && rest[0] != filepath.Separator {
		return path
	}
	return filepath.Join(to, rest)
}
