package serve

import "strings"

// FileList is names of files, written as a HostList is.
type FileList struct{ HostList }

// Type is what the flag's help shows for a value.
func (l *FileList) Type() string { return "files" }

func (l *FileList) list() []string {
	var files []string
	for file := range strings.SplitSeq(string(l.HostList), ",") {
		if file != "" {
			files = append(files, file)
		}
	}
	return files
}
