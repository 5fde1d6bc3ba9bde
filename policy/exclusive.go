package policy

import (
	"reflect"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// Keys that exclude each other are not mixed by inheritance: where the nearer
// document writes one way, the other ways of the farther ones are dropped. The
// builders refuse both ways in one document; what they refuse across sections
// (shift.rolling and shadow) is not dropped but told, since nobody who writes a
// shadow asks for another shift.

// rivals are the keys of a mapping that a nearer document's keys drop.
type rivals struct {
	written []string
	dropped []string
}

// exclusive holds the rivals of each mapping by its path.
var exclusive = map[string][]rivals{
	"spec.live":            either([]string{"color"}, []string{"version"}),
	"spec.discovery":       either([]string{"service", "color"}, []string{"blue", "green"}),
	"spec.discovery.color": either([]string{"meta"}, []string{"tag"}),
	"spec.route.preview":   either([]string{"off"}, []string{"header", "cookie", "token"}),
	"spec.route.sticky":    either([]string{"header"}, []string{"cookie"}, []string{"sourceIP"}),
	// Without a shape there is no shift, so checks drop none.
	"spec.shift": append(
		either([]string{"steps"}, []string{"linear"}, []string{"canary"}, []string{"exponential"}, []string{"rolling"}, []string{"instant"}),
		rivals{written: []string{"instant"}, dropped: []string{"checks"}}),
	"spec.judge":         either([]string{"off"}, slices.DeleteFunc(keysOf(reflect.TypeFor[rawJudge]()), func(key string) bool { return key == "off" })),
	"spec.judge.errors":  either([]string{"relative"}, []string{"tolerate"}),
	"spec.judge.latency": either([]string{"relative"}, []string{"tolerate"}),
	"spec.retire": slices.Concat(
		either([]string{"off"}, []string{"after", "webhook", "secret", "consul", "nomad", "repurpose"}),
		either([]string{"webhook", "secret"}, []string{"consul"}, []string{"nomad"}, []string{"repurpose"})),
	"spec.predict":             {{written: []string{"format"}, dropped: []string{"inputs"}}},
	"spec.route.preview.token": oneSecret,
	"spec.retire.secret":       oneSecret,
	"spec.retire.consul.token": oneSecret,
	"spec.retire.nomad.token":  oneSecret,
}

var oneSecret = either([]string{"env"}, []string{"file"})

// either makes rivals of ways, each a group of keys that go together.
func either(ways ...[]string) []rivals {
	var all []rivals
	for i, way := range ways {
		others := slices.Concat(slices.Delete(slices.Clone(ways), i, i+1)...)
		all = append(all, rivals{written: way, dropped: others})
	}
	return all
}

// chooses reports whether an entry takes the way that its key stands for. A
// switch does so in one position only, and null in none.
func chooses(entry *ast.MappingValueNode) bool {
	if isNull(entry) {
		return false
	}
	text, _ := scalarText(entry.Value)
	switch entry.Key.GetToken().Value {
	case "off", "tag", "instant", "sourceIP":
		return text != "false"
	case "relative":
		return text != "true"
	case "format":
		return text != string(MLflowInputs)
	}
	return true
}

// anyProtocol are the keys of predict that mean the same in every protocol.
var anyProtocol = []string{"columns", "headers", "load"}

// dropped lists the keys of the mapping at path that the nearer document drops
// from the farther ones.
func dropped(path string, far, near *ast.MappingNode) []string {
	var keys []string
	for _, r := range exclusive[path] {
		if slices.ContainsFunc(near.Values, func(e *ast.MappingValueNode) bool {
			return slices.Contains(r.written, e.Key.GetToken().Value) && chooses(e)
		}) {
			keys = append(keys, r.dropped...)
		}
	}
	if path == "spec.predict" && changesProtocol(far, near) {
		for _, e := range far.Values {
			if key := e.Key.GetToken().Value; !slices.Contains(anyProtocol, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// changesProtocol: farther documents that name no protocol are for any.
func changesProtocol(far, near *ast.MappingNode) bool {
	before, after := peek(far, "protocol"), peek(near, "protocol")
	return before != "" && after != "" && after != before
}
