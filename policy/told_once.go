package policy

import (
	"fmt"
	"slices"
	"strings"
)

// namedModels is how many of the models are named that a problem of an inherited
// value concerns.
const namedModels = 3

// toldOnce tells what is wrong with an inherited value once for all models that
// inherit it, in the words of the first. Problems are sorted, and stay so.
func toldOnce(problems []Problem) []Problem {
	type origin struct {
		file         string
		line, column int
		rule         string
	}
	concerned := map[origin][]string{}
	var once []Problem
	for _, p := range problems {
		at := origin{p.File, p.Line, p.Column, p.Rule}
		if p.inherited {
			concerned[at] = append(concerned[at], p.Model)
			if len(concerned[at]) > 1 {
				continue
			}
		}
		once = append(once, p)
	}
	for i := range once {
		p := &once[i]
		if !p.inherited {
			continue
		}
		models := concerned[origin{p.File, p.Line, p.Column, p.Rule}]
		slices.Sort(models)
		models = slices.Compact(models)
		p.Message += " (" + listModels(models) + ")"
		if len(models) > 1 {
			p.Model = ""
		}
	}
	return once
}

func listModels(names []string) string {
	switch n := len(names); {
	case n == 1:
		return "model " + names[0]
	case n <= namedModels:
		return "models " + strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	default:
		return fmt.Sprintf("models %s and %d more", strings.Join(names[:namedModels], ", "), n-namedModels)
	}
}
