package predict

import (
	"encoding/json"
	"slices"
	"strings"
)

// parameter is one of a request's parameters.
type parameter struct{ name, value string }

// sorted lists parameters by name, so that requests are the same every time.
func sorted(of map[string]string) []parameter {
	all := make([]parameter, 0, len(of))
	for name, value := range of {
		all = append(all, parameter{name, value})
	}
	slices.SortFunc(all, func(a, b parameter) int { return strings.Compare(a.name, b.name) })
	return all
}

// isText reports whether the value is neither a JSON number nor a bool.
func (p parameter) isText() bool {
	if p.value == "true" || p.value == "false" {
		return false
	}
	return p.value == "" || strings.IndexByte("-0123456789", p.value[0]) < 0 || !json.Valid([]byte(p.value))
}
