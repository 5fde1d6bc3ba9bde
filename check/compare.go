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
	// Numbers agree if one of these says so; see policy.GoldenCheck.
	tolerance, absolute, relative float64
	ulp                           int
	single                        bool // ulp counts steps of FP32, not of FP64
	// ranking names the list of which only the first topK items count; 0: all.
	ranking string
	topK    int

	first *difference
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
		c.numbers(at, want, got, false)
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
		if key == c.ranking {
			c.values(below, c.top(want[key]), c.top(v))
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

// top is the part of a ranking that counts.
func (c *comparison) top(v any) any {
	if list, ok := v.([]any); ok && c.topK > 0 && len(list) > c.topK {
		return list[:c.topK]
	}
	return v
}

// numbers compares as float64 within the tolerances, or exactly. Integers that float64 can't
// tell apart agree only if they are the same.
func (c *comparison) numbers(at string, want json.Number, got any, exact bool) {
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
	if big || exact && w != g || !c.agree(w, g) {
		expected := want.String()
		if !big && !exact {
			expected += c.allowed(w)
		}
		c.differ(at, text(expected), number)
	}
}

// agree is the policy's rule. It is symmetric only for a tolerance of 0: the
// expected value sets the scale.
func (c *comparison) agree(want, got float64) bool {
	if want == got { // also two infinities of one sign
		return true
	}
	if math.IsInf(want, 0) || math.IsInf(got, 0) {
		return false
	}
	off := math.Abs(want - got)
	return off <= c.margin(want) || c.ulp > 0 && steps(want, got, c.single) <= uint64(c.ulp)
}

// margin is how far from want a number may lie, steps aside.
func (c *comparison) margin(want float64) float64 {
	size := math.Abs(want)
	return max(c.tolerance*max(1, size), c.absolute, c.relative*size)
}

// allowed is the rule in words, behind an expected number.
func (c *comparison) allowed(want float64) string {
	var words string
	if m := c.margin(want); m > 0 {
		words = fmt.Sprintf(" ± %g", m)
	}
	if c.ulp > 0 {
		words += fmt.Sprintf(" ± %d ULP", c.ulp)
	}
	return words
}

// steps is how many floating-point numbers further b lies than a. Numbers of
// one sign are ordered as their bits are; -0 is 0.
func steps(a, b float64, single bool) uint64 {
	order := func(f float64) int64 {
		bits := math.Float64bits(math.Abs(f))
		if single {
			bits = uint64(math.Float32bits(float32(math.Abs(f))))
		}
		if f < 0 {
			return -int64(bits)
		}
		return int64(bits)
	}
	x, y := order(a), order(b)
	return uint64(max(x, y)) - uint64(min(x, y))
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
