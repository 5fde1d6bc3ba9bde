package policy

import (
	"bytes"
	"io"
	"os"
)

// lfsPointer begins every file that Git LFS leaves in the place of a large one.
// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
const lfsPointer = "version https://git-lfs.github.com/spec/"

const lfsAdvice = "a Git LFS pointer and not the file itself; LFS is not fetched, so commit the file without LFS (git lfs migrate export)"

func isLFSPointer(content []byte) bool { return bytes.HasPrefix(content, []byte(lfsPointer)) }

// holdsLFSPointer looks at no more of the file than it must.
func holdsLFSPointer(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	start := make([]byte, len(lfsPointer))
	n, _ := io.ReadFull(file, start)
	return isLFSPointer(start[:n])
}
