package policy

import (
	"cmp"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// overlay lays the mapping of a nearer document over that of the farther ones.
// Both stay as they are; entries are shared. Mappings merge key by key, all else
// replaces. Made entries are put down as file's; none are for the empty one, which
// is the model's own.
func (h *heritage) overlay(path, file string, far, near *ast.MappingNode) *ast.MappingNode {
	gone := dropped(path, far, near)
	merged := *near
	merged.Values = nil
	for _, entry := range near.Values {
		key := entry.Key.GetToken().Value
		if !slices.Contains(gone, key) {
			entry = h.overEntry(child(path, key), file, entryOf(far, key), entry)
		}
		merged.Values = append(merged.Values, entry)
	}
	for _, entry := range far.Values {
		key := entry.Key.GetToken().Value
		if !slices.Contains(gone, key) && entryOf(near, key) == nil {
			merged.Values = append(merged.Values, entry)
		}
	}
	return &merged
}

// oneApproval is where a mapping stands for a list of one, which is replaced whole.
const oneApproval = "spec.approve"

// overEntry lays one entry over that of the farther documents; either may be missing.
func (h *heritage) overEntry(path, file string, far, near *ast.MappingValueNode) *ast.MappingValueNode {
	if near == nil || far == nil || path == oneApproval {
		return cmp.Or(near, far)
	}
	below, ofNear := near.Value.(*ast.MappingNode)
	above, ofFar := far.Value.(*ast.MappingNode)
	if !ofNear || !ofFar {
		return near
	}
	merged := *near
	merged.Value = h.overlay(path, file, above, below)
	if file != "" {
		h.files[&merged] = file
	}
	return &merged
}

// entryOf is the first entry of a key; nil if the mapping has none.
func entryOf(mapping *ast.MappingNode, key string) *ast.MappingValueNode {
	for _, entry := range mapping.Values {
		if entry.Key.GetToken().Value == key {
			return entry
		}
	}
	return nil
}
