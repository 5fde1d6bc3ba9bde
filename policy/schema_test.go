package policy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"greenlight/policy"
)

func TestSchemaIsTheOneOnRecord(t *testing.T) {
	got, err := policy.Schema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/schema.json", got)
}

// Editors and Greenlight agree: good files fit the schema.
func TestGoodPoliciesFitTheSchema(t *testing.T) {
	files := slices.Concat(list(t, "testdata/good/*.yml"), list(t, "../examples/policies/*.yaml"), list(t, "../examples/policies/*/*.yaml"))
	for _, file := range files {
		for i, text := range strings.Split(string(read(t, file)), "\n---\n") {
			var document any
			if err := yaml.Unmarshal([]byte(text), &document); err != nil || document == nil {
				continue // the odd spellings in testdata/good are for the reader
			}
			if says := fits(schema(t), schema(t), document); says != "" {
				t.Errorf("%s, document %d: %s", file, i, says)
			}
		}
	}
}

// And files that are wrong in their shape do not fit.
func TestBadShapesDoNotFitTheSchema(t *testing.T) {
	for _, name := range []string{
		"unknown-key", "wrong-type", "api-version", "unknown-kind", "required", "unknown-value",
		"prefix-relative", "weight-range", "number-range", "fleet-port", "check-kind", "duration-syntax",
		"predict-protocol", "predict-values", "predict-classes", "quality-gates", "drift", "latency", "check-common",
		"calendar-words",
	} {
		text, _, _ := strings.Cut(string(read(t, "testdata/bad/"+name+".yml")), "\n---\n")
		var document any
		if err := yaml.Unmarshal([]byte(text), &document); err != nil {
			t.Fatal(err)
		}
		if fits(schema(t), schema(t), document) == "" {
			t.Errorf("%s fits the schema", name)
		}
	}
}

func TestSchemaDescribesEveryKey(t *testing.T) {
	for key, property := range schemaKeys(t) {
		if text, _ := property["description"].(string); !strings.HasSuffix(text, ".") {
			t.Errorf("key %s: description %q is no sentence", key, text)
		}
	}
}

func schema(t *testing.T) map[string]any {
	t.Helper()
	text, err := policy.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var s map[string]any
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// schemaKeys is every key of the format with its property in the schema.
func schemaKeys(t *testing.T) map[string]map[string]any {
	t.Helper()
	keys := map[string]map[string]any{}
	var visit func(any)
	visit = func(node any) {
		switch node := node.(type) {
		case map[string]any:
			if properties, ok := node["properties"].(map[string]any); ok {
				for key, p := range properties {
					keys[key] = p.(map[string]any)
				}
			}
			for _, child := range node {
				visit(child)
			}
		case []any:
			for _, child := range node {
				visit(child)
			}
		}
	}
	visit(schema(t)["$defs"])
	if len(keys) < 40 {
		t.Fatalf("the schema has only the keys %v", slices.Sorted(maps.Keys(keys)))
	}
	return keys
}

// fits is as much of a JSON Schema validator as this schema needs. It answers
// with what does not fit.
func fits(root, s map[string]any, v any) string {
	if ref, ok := s["$ref"].(string); ok {
		return fits(root, root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any), v)
	}
	if shapes, ok := s["oneOf"].([]any); ok {
		if says := fitsOne(root, shapes, v); says != "" {
			return says
		}
	}
	if enum, ok := s["enum"].([]any); ok && !slices.ContainsFunc(enum, func(e any) bool { return fmt.Sprint(e) == fmt.Sprint(v) }) {
		return fmt.Sprintf("%v is not in %v", v, enum)
	}
	for _, key := range asList(s["required"]) {
		object, _ := v.(map[string]any)
		if _, written := object[key.(string)]; !written {
			return fmt.Sprintf("%v lacks %v", v, key)
		}
	}
	switch s["type"] {
	case "null":
		if v != nil {
			return fmt.Sprintf("%v is not null", v)
		}
	case "object":
		return fitsObject(root, s, v)
	case "array":
		items, ok := v.([]any)
		if !ok {
			return fmt.Sprintf("%v is no array", v)
		}
		for _, item := range items {
			if says := fits(root, s["items"].(map[string]any), item); says != "" {
				return says
			}
		}
	case "string":
		return fitsString(s, v)
	case "boolean":
		if _, ok := v.(bool); !ok {
			return fmt.Sprintf("%v is no boolean", v)
		}
	case "integer", "number":
		return fitsNumber(s, v)
	}
	return ""
}

func asList(v any) []any {
	items, _ := v.([]any)
	return items
}

func fitsOne(root map[string]any, shapes []any, v any) string {
	fitting, all := 0, []string{}
	for _, shape := range shapes {
		says := fits(root, shape.(map[string]any), v)
		if says == "" {
			fitting++
		}
		all = append(all, says)
	}
	if fitting != 1 {
		return fmt.Sprintf("%d of %d shapes fit: %s", fitting, len(shapes), strings.Join(all, "; "))
	}
	return ""
}

func fitsObject(root, s map[string]any, v any) string {
	object, ok := v.(map[string]any)
	if !ok {
		return fmt.Sprintf("%v is no object", v)
	}
	properties, _ := s["properties"].(map[string]any)
	for key, value := range object {
		p, known := properties[key].(map[string]any)
		if !known {
			p, known = s["additionalProperties"].(map[string]any)
		}
		if !known {
			return "unknown key " + key
		}
		if says := fits(root, p, value); says != "" {
			return key + ": " + says
		}
	}
	return ""
}

func fitsString(s map[string]any, v any) string {
	text, ok := v.(string)
	if !ok {
		return fmt.Sprintf("%v is no string", v)
	}
	if pattern, ok := s["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(text) {
		return fmt.Sprintf("%q does not match %s", text, pattern)
	}
	return ""
}

func fitsNumber(s map[string]any, v any) string {
	number, err := json.Number(fmt.Sprint(v)).Float64()
	if _, isText := v.(string); isText || err != nil {
		return fmt.Sprintf("%v is no number", v)
	}
	if least, ok := s["minimum"].(float64); ok && number < least {
		return fmt.Sprintf("%v is too small", v)
	}
	if most, ok := s["maximum"].(float64); ok && number > most {
		return fmt.Sprintf("%v is too large", v)
	}
	return ""
}
