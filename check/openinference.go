package check

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// openInference compares an Open Inference (KServe V2) answer. Outputs are
// found by name, in whatever order they come. Everything else that varies from
// answer to answer (id, model_version, parameters) counts only where want
// names it.
func (c *comparison) openInference(expect, got any) {
	want, _ := expect.(map[string]any) // validExpectation saw that it is one
	answer, ok := got.(map[string]any)
	if !ok {
		c.differ("", text("an inference response"), got)
		return
	}
	for _, key := range sortedKeys(want) {
		outputs, ok := want[key].([]any)
		if key == "outputs" && ok {
			c.outputs(outputs, answer)
			continue
		}
		c.objects("", map[string]any{key: want[key]}, answer)
	}
}

func (c *comparison) outputs(want []any, answer map[string]any) {
	got, ok := answer["outputs"].([]any)
	if !ok {
		c.differ("outputs", text(plural(len(want), "tensor")), described{"an answer without outputs", answer})
		return
	}
	byName := map[string]map[string]any{}
	for _, o := range got {
		tensor, ok := o.(map[string]any)
		if !ok {
			continue
		}
		name := nameOf(tensor)
		if _, twice := byName[name]; twice {
			c.differ("outputs["+name+"]", text("one tensor"), text("two of this name"))
		}
		byName[name] = tensor
	}
	for _, o := range want {
		tensor, _ := o.(map[string]any) // validExpectation saw that it is one
		name := nameOf(tensor)
		at := "outputs[" + name + "]"
		found, ok := byName[name]
		if !ok {
			c.differ(at, text("a tensor"), text("only "+strings.Join(sortedNames(byName), ", ")))
			continue
		}
		c.tensor(at, tensor, found)
	}
}

// tensor compares the fields that want names.
func (c *comparison) tensor(at string, want, got map[string]any) {
	for _, key := range sortedKeys(want) {
		if key != "data" {
			c.objects(at, map[string]any{key: want[key]}, got)
			continue
		}
		// Data may be nested by its shape or flat; both say the same.
		w, g := flatten(nil, want["data"]), flatten(nil, got["data"])
		if len(w) != len(g) {
			c.differ(at+".data", text(plural(len(w), "value")), text(plural(len(g), "value")))
			continue
		}
		exact := !isFloat(want, got)
		c.single = datatypeOf(want, got) != "FP64"
		width := c.width(want, got, len(w))
		for i := range w {
			if width > 0 && i%width >= c.topK {
				continue // further down in a ranking than what counts
			}
			c.element(at+".data["+strconv.Itoa(i)+"]", w[i], g[i], exact)
		}
	}
}

// element compares one value of a tensor. Whole numbers are labels or counts:
// a tolerance must not make class 101 of class 100, so they agree only if equal.
func (c *comparison) element(at string, want, got any, exact bool) {
	if n, ok := want.(json.Number); ok && exact {
		c.numbers(at, n, got, true)
		return
	}
	c.values(at, want, got)
}

// isFloat says whether the tolerance applies: by the datatype that is
// expected, else by the one that came.
func isFloat(want, got map[string]any) bool {
	datatype := datatypeOf(want, got)
	return strings.HasPrefix(datatype, "FP") || strings.HasPrefix(datatype, "BF")
}

func datatypeOf(want, got map[string]any) string {
	datatype, ok := want["datatype"].(string)
	if !ok {
		datatype, _ = got["datatype"].(string)
	}
	return datatype
}

// width is how many elements a row of the ranking has, by its shape; 0 for
// any other tensor.
func (c *comparison) width(want, got map[string]any, all int) int {
	shape, _ := got["shape"].([]any)
	if nameOf(want) != c.ranking || c.topK == 0 || len(shape) == 0 {
		return 0
	}
	n, _ := shape[0].(json.Number)
	rows, err := n.Int64()
	if err != nil || rows < 1 || rows > int64(all) {
		return 0
	}
	return all / int(rows)
}

func flatten(into []any, v any) []any {
	list, ok := v.([]any)
	if !ok {
		return append(into, v)
	}
	for _, e := range list {
		into = flatten(into, e)
	}
	return into
}

func nameOf(tensor map[string]any) string {
	name, _ := tensor["name"].(string)
	return name
}

func sortedNames(tensors map[string]map[string]any) []string {
	names := map[string]any{}
	for n := range tensors {
		names[n] = nil
	}
	if len(names) == 0 {
		return []string{"no output"}
	}
	return sortedKeys(names)
}

// validExpectation finds what no answer could ever meet.
func validExpectation(expect any) error {
	object, ok := expect.(map[string]any)
	if !ok {
		return fmt.Errorf("expect is %s; must be an object with outputs", show(expect))
	}
	outputs, ok := object["outputs"]
	if !ok {
		return nil
	}
	list, ok := outputs.([]any)
	if !ok {
		return fmt.Errorf("expect.outputs is %s; must be a list of tensors", show(outputs))
	}
	seen := map[string]bool{}
	for i, o := range list {
		tensor, ok := o.(map[string]any)
		if !ok || nameOf(tensor) == "" {
			return fmt.Errorf("expect.outputs[%d] is %s; must be an object with a name", i, show(o))
		}
		if seen[nameOf(tensor)] {
			return fmt.Errorf("expect.outputs[%d] names %q again", i, nameOf(tensor))
		}
		seen[nameOf(tensor)] = true
	}
	return nil
}
