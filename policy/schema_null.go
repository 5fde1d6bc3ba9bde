package policy

import (
	"reflect"

	"github.com/invopop/jsonschema"
)

// allowNull lets null stand for a value wherever it takes back an inherited one:
// for every key below t but those of lists, which are inherited whole.
func allowNull(t reflect.Type, definitions jsonschema.Definitions) {
	inLists, merged := map[reflect.Type]bool{}, map[reflect.Type]bool{}
	visitRaw(t, false, func(t reflect.Type, listed bool) bool {
		seen := merged
		if listed {
			seen = inLists
		}
		defer func() { seen[t] = true }()
		return !seen[t]
	})
	for t := range merged {
		definition := definitions[typeSchemaName(t)]
		if inLists[t] || definition == nil || definition.Properties == nil {
			continue
		}
		for pair := definition.Properties.Oldest(); pair != nil; pair = pair.Next() {
			pair.Value = orNull(pair.Value)
		}
	}
}

// visitRaw goes through the raw structs below t until visit has seen enough.
// Listed says that a list is on the way.
func visitRaw(t reflect.Type, listed bool, visit func(t reflect.Type, listed bool) bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		listed = listed || t.Kind() == reflect.Slice
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || !visit(t, listed) {
		return
	}
	for i := range t.NumField() {
		visitRaw(t.Field(i).Type, listed, visit)
	}
}

// orNull keeps outside what editors show of a key.
func orNull(property *jsonschema.Schema) *jsonschema.Schema {
	value := *property
	value.Description, value.Default, value.Examples = "", nil, nil
	return &jsonschema.Schema{
		OneOf:       []*jsonschema.Schema{{Type: "null"}, &value},
		Description: property.Description, Default: property.Default, Examples: property.Examples,
	}
}
