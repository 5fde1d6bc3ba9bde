package policy

import (
	"fmt"
	"slices"
	"strings"
)

// warner looks at one policy that came into force from its document, and notes
// what is doubtful about it. It is pure: what it knows of data files was found
// out when the document was read.
type warner struct {
	document *document
	model    *Model
	found    []Problem
}

// warnings lists what is doubtful about the policies that the reading brought
// into force, sorted. A last good policy that stands in for a broken one was
// told of when it came.
func (m *merger) warnings(models map[string]*choice[Model], fleets map[string]*choice[Fleet]) []Problem {
	var all []Problem
	hosts := hostsOf(models)
	for _, name := range sortedNames(models) {
		c := models[name]
		if c.next == nil || c.document == nil {
			continue
		}
		w := &warner{document: c.document, model: c.next}
		w.checks()
		w.times()
		w.calendar()
		w.judge(fleets)
		w.overlaps(hosts)
		all = append(all, w.found...)
	}
	return toldOnce(sortProblems(all))
}

// warn notes what is doubtful at path.
func (w *warner) warn(path, rule, format string, args ...any) {
	p := w.document.problem(path, rule, fmt.Sprintf(format, args...))
	p.Model = w.model.Name
	w.found = append(w.found, p)
}

// has reports whether path was written in the model's document.
func (w *warner) has(path string) bool { return w.document.marks != nil && w.document.marks.has(path) }

// lists are the lists of checks that are the policy's own, by their paths: those
// that steps and bake repeat from validate are told of there.
func (w *warner) lists() []checkList {
	lists := []checkList{{path: "spec.validate", checks: w.model.Validate}}
	for _, own := range []checkList{
		{path: "spec.shift.checks", checks: w.model.StepChecks.Checks},
		{path: "spec.bake.checks", checks: w.model.Bake.Checks},
	} {
		if w.has(own.path) {
			lists = append(lists, own)
		}
	}
	return lists
}

// entry is the path of a list's check as it was written. The endpoints check that
// a list without one gets in front has none of its own.
func (w *warner) entry(list checkList, index int) string {
	if list.path == "spec.validate" && !w.writesEndpoints(len(list.checks)) {
		if index == 0 {
			return list.path
		}
		index--
	}
	return item(list.path, index)
}

func (w *warner) writesEndpoints(checks int) bool {
	for i := range checks {
		if w.has(item("spec.validate", i) + ".endpoints") {
			return true
		}
	}
	return false
}

// used reports whether an expression refers to a figure of c that begins with
// prefix. A gate that can't fail is the way to have a figure measured that only
// an expression judges.
func (w *warner) used(c Check, prefix string) bool {
	name := c.FigureName(prefix)
	for _, list := range [][]Check{w.model.Validate, w.model.StepChecks.Checks, w.model.Bake.Checks} {
		for _, other := range list {
			if other.Expression != nil && slices.ContainsFunc(other.Expression.Uses, func(figure string) bool { return strings.HasPrefix(figure, name) }) {
				return true
			}
		}
	}
	return false
}
