package serve

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// maxGroups bounds a file of groups.
const maxGroups = 1 << 20

// groupsOf is the groups of file that a person belongs to. It is read anew every
// time: who may approve is who may now.
func groupsOf(file, person string) ([]string, error) {
	if file == "" {
		return nil, nil
	}
	groups, err := readGroups(file)
	if err != nil {
		return nil, err
	}
	var out []string
	for name, members := range groups {
		switch {
		case slices.ContainsFunc(members, func(m string) bool { return strings.EqualFold(m, person) }):
			out = append(out, name)
		case strings.EqualFold(name, person): // a policy that names the group does not mean them
			return nil, fmt.Errorf("read groups %s: %s is a group there, and no person", file, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// readGroups reads a mapping of groups and their members.
func readGroups(file string) (map[string][]string, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	defer opened.Close()
	raw, err := io.ReadAll(io.LimitReader(opened, maxGroups+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read groups %s: %w", file, err)
	case len(raw) > maxGroups:
		return nil, fmt.Errorf("read groups %s: it is larger than %d bytes", file, maxGroups)
	}
	groups := map[string][]string{}
	err = yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(&groups)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read groups %s: %w; write GROUP: [PERSON, ...]", file, err)
	}
	return groups, nil
}
