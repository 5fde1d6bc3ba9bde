package check

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// difference is the first place where an answer is not what was expected.
type difference struct {
	at            string // "outputs[probability].data[3]"; empty for the whole answer
	expected, got string
}

func (d difference) want() string {
	if d.at == "" {
		return d.expected
	}
	return d.at + " = " + d.expected
}

// comparison holds one answer against what was expected of it. It goes on
// after the first difference, to learn the largest error.
type comparison struct {
	tolerance float64
	first     *difference
	// maxError is the largest |expected-got| / max(1, |expected|) of all pairs
	// of finite numbers: what the tolerance would have to be for them to agree.
	maxError float64
}

// differ notes the first difference. Values are written out only if it is the
// first: an answer may be large and wrong in many places.
func (c *comparison) differ(at string, expected, got any) {
	if c.first == nil {
		c.first = &difference{at, inText(expected), inText(got)}
	}
}

type (
	// text stands for itself in a difference; other values are written as JSON.
	text string
	// described is a value with words before it.
	described struct {
		words string
		value any
	}
)

func inText(v any) string {
	switch v := v.(type) {
	case text:
		return string(v)
	case described:
		return v.words + ": " + show(v.value)
	default:
		return show(v)
	}
}

// values compares two decoded JSON values. Keys that got has and want has not
// are fine; arrays have to be equally long.
func (c *comparison) values(at string, want, got any) {
	switch want := want.(type) {
	case map[string]any:
		c.objects(at, want, got)
	case []any:
		c.arrays(at, want, got)
	case json.Number:
		c.numbers(at, want, got, c.tolerance)
	default: // string, bool, nil
		if want != got {
			c.differ(at, want, got)
		}
	}
}

func (c *comparison) objects(at string, want map[string]any, got any) {
	object, ok := got.(map[string]any)
	if !ok {
		c.differ(at, described{"an object", want}, got)
		return
	}
	for _, key := range sortedKeys(want) {
		below := join(at, key)
		v, ok := object[key]
		if !ok {
			c.differ(below, want[key], described{"no such key", object})
			continue
		}
		c.values(below, want[key], v)
	}
}

func (c *comparison) arrays(at string, want []any, got any) {
	array, ok := got.([]any)
	if !ok {
		c.differ(at, described{"an array", want}, got)
		return
	}
	if len(array) != len(want) {
		c.differ(at, described{plural(len(want), "element"), want}, described{plural(len(array), "element"), array})
		return
	}
	for i := range want {
		c.values(at+"["+strconv.Itoa(i)+"]", want[i], array[i])
	}
}

// exactUpTo is where float64 stops telling integers apart.
const exactUpTo = 1 << 53

// numbers compares as float64 within tolerance. Integers that float64 can't
// tell apart agree only if they are the same.
func (c *comparison) numbers(at string, want json.Number, got any, tolerance float64) {
	number, ok := got.(json.Number)
	if !ok {
		c.differ(at, want, got)
		return
	}
	if want == number {
		return
	}
	w, g := toFloat(want), toFloat(number)
	big := isInteger(want) && isInteger(number) && (math.Abs(w) >= exactUpTo || math.Abs(g) >= exactUpTo)
	if !math.IsInf(w, 0) && !math.IsInf(g, 0) {
		c.maxError = max(c.maxError, relativeError(w, g))
	}
	if big || !agree(w, g, tolerance) {
		expected := want.String()
		if tolerance > 0 && !big {
			expected += fmt.Sprintf(" ± %g", tolerance*max(1, math.Abs(w)))
		}
		c.differ(at, text(expected), number)
	}
}

// agree is the policy's rule. It is symmetric only for a tolerance of 0: the
// expected value sets the scale.
func agree(want, got, tolerance float64) bool {
	if want == got { // also two infinities of one sign
		return true
	}
	if math.IsInf(want, 0) || math.IsInf(got, 0) {
		return false
	}
	return math.Abs(want-got) <= tolerance*max(1, math.Abs(want))
}

func relativeError(want, got float64) float64 {
	return math.Abs(want-got) / max(1, math.Abs(want))
}

// toFloat is ±Inf for what is too large: ParseFloat says so beside its error.
func toFloat(n json.Number) float64 {
	f, _ := strconv.ParseFloat(n.String(), 64)
	return f
}

func isInteger(n json.Number) bool { return !strings.ContainsAny(n.String(), ".eE") }

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func join(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}

// show writes a value as JSON, cut to what a person reads.
func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return shorten(string(b))
}
