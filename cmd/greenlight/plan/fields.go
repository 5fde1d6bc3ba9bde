package plan

import (
	"slices"
	"strings"

	"greenlight/policy"
)

func modelFields(before, after *policy.Model) []Field {
	was, is := leaves(before, after, modelKey)
	return follow(changes(was, is, modelEffect))
}

func fleetFields(before, after *policy.Fleet) []Field {
	was, is := leaves(before, after, fleetKey)
	return changes(was, is, fleetEffect)
}

// changes compares what two policies say. Of something that is there on one side only
// the whole is told, and not each key of it.
func changes(before, after []leaf, effect func(string) Effect) []Field {
	was, is := byPath(before), byPath(after)
	out := []Field{}
	whole := ""
	for _, path := range paths(before, after) {
		old, had := was[path]
		now, has := is[path]
		if whole != "" && strings.HasPrefix(path, whole) && strings.ContainsAny(path[len(whole):][:1], ".[") {
			continue
		}
		group := old.group || now.group
		if had == has && (group || old.value == now.value) || otherItems(old, now) {
			continue
		}
		if group {
			whole = path
		}
		out = append(out, Field{Field: path, Old: old.value, New: now.value, Effect: effect(path)})
	}
	return out
}

// otherItems reports whether two lists differ by more than their order: then their
// items tell it.
func otherItems(a, b leaf) bool {
	return (a.order != nil || b.order != nil) && !slices.Equal(sorted(slices.Clone(a.order)), sorted(slices.Clone(b.order)))
}

func byPath(all []leaf) map[string]leaf {
	out := make(map[string]leaf, len(all))
	for _, l := range all {
		out[l.path] = l
	}
	return out
}

// paths is those of both sides in the order of the format: what only one side has
// comes behind what stands before it there.
func paths(before, after []leaf) []string {
	out := make([]string, 0, len(before))
	had := make(map[string]bool, len(before))
	for _, l := range before {
		out = append(out, l.path)
		had[l.path] = true
	}
	at := 0
	for _, l := range after {
		if had[l.path] {
			if next := slices.Index(out[at:], l.path); next >= 0 {
				at += next + 1
			}
			continue
		}
		out = slices.Insert(out, at, l.path)
		at++
	}
	return out
}

// followers are the lists of checks that are validate's unless they are written.
var followers = []string{"spec.shift.checks", "spec.bake.checks"}

// follow joins changes of the lists that follow validate to validate's own.
func follow(all []Field) []Field {
	const validate = "spec.validate"
	for i := range all {
		f := &all[i]
		rest, found := strings.CutPrefix(f.Field, validate)
		if !found {
			continue
		}
		for _, list := range followers {
			same := func(o Field) bool { return o.Field == list+rest && o.Old == f.Old && o.New == f.New }
			if slices.ContainsFunc(all, same) {
				f.Also = append(f.Also, list+rest)
			}
		}
	}
	var joined []string
	for _, f := range all {
		joined = append(joined, f.Also...)
	}
	return slices.DeleteFunc(all, func(f Field) bool { return slices.Contains(joined, f.Field) })
}
