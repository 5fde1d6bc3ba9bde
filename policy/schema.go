package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
)

// durationPattern is the syntax of time.ParseDuration without signs.
const durationPattern = `^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$`

// Schema is the JSON Schema of a policy document, for editors. It comes from
// the structs that the decoder fills, so it can't fall behind them.
func Schema() ([]byte, error) {
	model, fleet, inherited := reflectSchema(&rawModel{}), reflectSchema(&rawFleet{}), reflectSchema(&rawDefaults{})
	definitions := model.Definitions
	maps.Copy(definitions, fleet.Definitions)
	maps.Copy(definitions, inherited.Definitions)
	allowNull(reflect.TypeFor[rawSpec](), definitions)
	root := &jsonschema.Schema{
		Version:     jsonschema.Version,
		Title:       "Greenlight policy",
		Description: "One document of a Greenlight policy file: a Model, a Fleet or Defaults.",
		OneOf:       []*jsonschema.Schema{{Ref: model.Ref}, {Ref: fleet.Ref}, {Ref: inherited.Ref}},
		Definitions: definitions,
	}
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write policy schema: %w", err)
	}
	return append(text, '\n'), nil
}

func reflectSchema(raw any) *jsonschema.Schema {
	r := jsonschema.Reflector{
		Anonymous:                  true,
		RequiredFromJSONSchemaTags: true,
		FieldNameTag:               "yaml",
		Namer:                      typeSchemaName,
	}
	s := r.Reflect(raw)
	addDefaults(reflect.TypeOf(raw).Elem(), s.Definitions)
	return s
}

// addDefaults gives the durations and weights their defaults. The reflector
// leaves them out, because those fields refer to a shared definition.
func addDefaults(t reflect.Type, definitions jsonschema.Definitions) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		field := t.Field(i)
		addDefaults(field.Type, definitions)
		property := property(definitions[typeSchemaName(t)], field.Tag.Get("yaml"))
		if property == nil || property.Ref == "" {
			continue
		}
		for option := range strings.SplitSeq(field.Tag.Get("jsonschema"), ",") {
			if preset, ok := strings.CutPrefix(option, "default="); ok {
				property.Default = preset
			}
		}
	}
}

// property finds a key in a definition, also in one that has a shorthand.
func property(definition *jsonschema.Schema, key string) *jsonschema.Schema {
	if definition == nil {
		return nil
	}
	if definition.Properties != nil {
		if found, ok := definition.Properties.Get(key); ok {
			return found
		}
	}
	for _, shape := range definition.OneOf {
		if found := property(shape, key); found != nil {
			return found
		}
	}
	return nil
}

// JSONSchema describes how a duration is written. An unquoted 0 is a number.
func (duration) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		OneOf: []*jsonschema.Schema{
			{Type: "string", Pattern: durationPattern},
			{Type: "integer", Enum: []any{0}},
		},
		Description: "A duration as Go writes it.",
		Examples:    []any{"500ms", "30s", "1h30m"},
	}
}

// JSONSchema describes how a weight is written.
func (percent) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		OneOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^(100(\.00?)?|[0-9]{1,2}(\.[0-9]{1,2})?)%?$`},
			{Type: "number", Minimum: "0", Maximum: "100"},
		},
		Description: "0% to 100%, with at most two decimals.",
		Examples:    []any{"5%", "12.5%", 95},
	}
}

// JSONSchema describes an upper limit.
func (belowShare) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^< *[0-9]{1,9}(\.[0-9]{1,2})?%?$`}
}

// JSONSchema describes an upper limit.
func (belowTime) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^< *([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`}
}

// JSONSchema allows what YAML readers take for text: 1e-6.
func (number) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		OneOf: []*jsonschema.Schema{
			{Type: "number"},
			{Type: "string", Pattern: `^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`},
		},
		Examples: []any{"1e-6", 0.001},
	}
}

// JSONSchema describes how an amount is written.
func (amount) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		OneOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^(100(\.00?)?|[0-9]{1,2}(\.[0-9]{1,2})?)%$`},
			{Type: "integer", Minimum: "1", Maximum: "100000"},
		},
		Description: "A whole number, or a share.",
		Examples:    []any{2, "25%"},
	}
}

// JSONSchema describes how a ratio is written.
func (ratio) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		OneOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^[0-9]{1,9}(\.[0-9]{1,9})?%?$`},
			{Type: "number", Minimum: "0"},
		},
		Description: "A share that may be more than all: 120% is 1.2.",
		Examples:    []any{"120%", "99.9%", 1.2},
	}
}

// JSONSchemaExtend adds the shorthand of what should be live: the color alone.
func (rawLive) JSONSchemaExtend(s *jsonschema.Schema) {
	full := *s
	full.MaxProperties = new(uint64)
	*full.MaxProperties = 1
	*s = jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string", Enum: []any{string(Blue), string(Green)}}, &full}}
}

// JSONSchemaExtend adds the shorthand of one approval: without the list.
func (rawApprovals) JSONSchemaExtend(s *jsonschema.Schema) {
	full := *s
	*s = jsonschema.Schema{OneOf: []*jsonschema.Schema{&full, full.Items}}
}

// JSONSchemaExtend adds the shorthand of a gate: true.
func (rawNotWorse) JSONSchemaExtend(s *jsonschema.Schema) {
	full := *s
	*s = jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "boolean", Enum: []any{true}}, &full}}
}

// JSONSchemaExtend adds the shorthand of a step: the weight alone.
func (rawStep) JSONSchemaExtend(s *jsonschema.Schema) {
	full := *s
	*s = jsonschema.Schema{OneOf: []*jsonschema.Schema{{Ref: "#/$defs/percent"}, &full}}
}

// JSONSchemaExtend allows the one key that needs no value.
func (rawEndpoints) JSONSchemaExtend(s *jsonschema.Schema) {
	full := *s
	*s = jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "null"}, &full}}
}

// typeSchemaName is a raw struct's name in the schema: Model for rawModel.
func typeSchemaName(t reflect.Type) string {
	return strings.TrimPrefix(t.Name(), "raw")
}
