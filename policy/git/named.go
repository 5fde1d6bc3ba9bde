package git

import "path/filepath"

// Named is the folder of policies as the repository names it, and as policies name the
// files that they use.
func (s *Source) Named() (inRepository, onDisk string) {
	return filepath.ToSlash(filepath.Clean(s.Path)), filepath.Join(s.disk.at(current), s.Path)
}
