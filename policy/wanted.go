package policy

import "fmt"

// Wanted says what should be live, if the policy decides that: a color, or whichever
// color serves a version. At most one is set; with neither the admin API decides.
type Wanted struct {
	Color   Color  `json:"color,omitempty"`
	Version string `json:"version,omitempty"`
}

// None reports whether the policy leaves it to the admin API what is live.
func (w Wanted) None() bool { return w == Wanted{} }

// String is "green", or "version 2026-11-01".
func (w Wanted) String() string {
	if w.Version != "" {
		return "version " + w.Version
	}
	return string(w.Color)
}

// rawLive is written as a color alone, or as a mapping.
type rawLive struct {
	Color   *string `yaml:"color" jsonschema:"enum=blue,enum=green" jsonschema_description:"The color that should be live."`
	Version *string `yaml:"version" jsonschema:"example=2026-11-01" jsonschema_description:"The version that should be live, whichever color serves it; text, so quote what looks like a number."`
}

// wanted takes what should be live.
func (b *builder) wanted(raw *rawLive) Wanted {
	const path = "spec.live"
	switch {
	case raw == nil:
		return Wanted{}
	case raw.Color != nil && raw.Version != nil:
		b.problem(path, RuleContradiction, "spec.live names a color and a version; keep one: the version is whichever color's that serves it")
		return Wanted{}
	case raw.Version != nil:
		return Wanted{Version: b.text(path+".version", raw.Version, "", RuleTextSyntax, textFault)}
	case raw.Color != nil:
		where := path + ".color"
		if !b.marks.has(where) {
			where = path
		}
		return Wanted{Color: Color(b.choice(where, raw.Color, "", string(Blue), string(Green)))}
	default:
		b.require(path, fmt.Sprintf("write %s, %s or {version: VERSION}", Blue, Green))
		return Wanted{}
	}
}
