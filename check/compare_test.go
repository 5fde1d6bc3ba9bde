package check

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func mustDecode(t interface{ Fatalf(string, ...any) }, s string) any {
	v, err := decode([]byte(s))
	if err != nil {
		t.Fatalf("decode %s: %v", s, err)
	}
	return v
}

func compared(tolerance float64, want, got any) comparison {
	c := comparison{tolerance: tolerance}
	c.values("", want, got)
	return c
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		want, got string
		tolerance float64
		agree     bool
	}{
		{"1", "1.0", 0, true},
		{"1", "1e0", 0, true},
		{"0", "-0", 0, true},
		{"0", "0.001", 0.001, true},
		{"0.001", "0.0021", 0.001, false}, // below 1 the tolerance is absolute
		{"1000", "1001", 0.001, true},     // above 1 it is relative
		{"1000", "1001.1", 0.001, false},
		{"-1000", "1000", 0.001, false},
		{"123456789012345678901234567890", "123456789012345678901234567890", 0, true},
		{"123456789012345678901234567890", "123456789012345678901234567891", 1, false},
		{"9007199254740992", "9007199254740993", 1, false},
		{"9007199254740991", "9007199254740990", 0.1, true},
		{"1e300", "1.0000001e300", 1e-6, true}, // not written as integers
		{"1e999", "1e999", 0, true},            // expected, so it agrees
		{"1e999", "1e998", 0, true},            // both are infinite as float64
		{"1e999", "-1e999", 1, false},
		{"1", "1e999", 1e300, false},
		{"1e999", "1", 1e300, false},
		{"1", `"1"`, 1, false},
		{"1", "true", 1, false},
		{"1", "null", 1, false},
	} {
		got := compared(c.tolerance, mustDecode(t, c.want), mustDecode(t, c.got)).first == nil
		if got != c.agree {
			t.Errorf("%s and %s within %g: agree = %v", c.want, c.got, c.tolerance, got)
		}
	}
}

func TestMaxErrorLooksAtAllNumbers(t *testing.T) {
	c := compared(0.01, mustDecode(t, `{"a":[1,100,0.5],"b":"x"}`), mustDecode(t, `{"a":[1.5,101,0.25],"b":"y"}`))
	if c.maxError != 0.5 || c.first == nil || c.first.at != "a[0]" {
		t.Errorf("maxError %v, first %+v", c.maxError, c.first)
	}
}

func TestNonFiniteWordsAreReadOutsideOfStringsOnly(t *testing.T) {
	for in, want := range map[string]string{
		`[NaN, -Infinity, Infinity]`: `["NaN","-Infinity","Infinity"]`,
		`{"NaN":"a \" NaN","b":NaN}`: `{"NaN":"a \" NaN","b":"NaN"}`,
		`["\\",NaN]`:                 `["\\","NaN"]`,
	} {
		if got := mustDecode(t, in); !reflect.DeepEqual(got, mustDecode(t, want)) {
			t.Errorf("%s became %v", in, got)
		}
	}
	for _, bad := range []string{``, ` `, `NaNs`, `-NaN`, `{"a":NaN`, `"NaN`, `{} 1`, `"\`} {
		if v, err := decode([]byte(bad)); err == nil {
			t.Errorf("%q was read as %v", bad, v)
		}
	}
}

// jsonValue draws any JSON value; floats may be non-finite words.
func jsonValue(depth int) *rapid.Generator[any] {
	number := rapid.Map(rapid.OneOf(
		rapid.Map(rapid.Float64(), func(f float64) string { b, _ := json.Marshal(f); return string(b) }),
		rapid.Map(rapid.Int64(), func(i int64) string { return fmt.Sprint(i) }),
		rapid.SampledFrom([]string{"1e999", "-0", "18446744073709551616", "1.000"}),
	), func(s string) any {
		if s == "" { // NaN and infinities have no JSON
			return "NaN"
		}
		return json.Number(s)
	})
	leaf := rapid.OneOf(number, rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.SampledFrom([]any{true, false, nil}))
	if depth == 0 {
		return leaf
	}
	below := jsonValue(depth - 1)
	return rapid.OneOf(leaf,
		rapid.Map(rapid.SliceOfN(below, 0, 4), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.StringMatching(`[a-c]{1,2}`), below, 0, 4), func(m map[string]any) any { return m }))
}

func TestAValueAgreesWithItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := jsonValue(3).Draw(t, "value")
		tolerance := rapid.Float64Range(0, 2).Draw(t, "tolerance")
		c := compared(tolerance, v, v)
		if c.first != nil || c.maxError != 0 {
			t.Fatalf("%+v, maxError %v", c.first, c.maxError)
		}
	})
}

// Exactly compared lists of scalars differ from both sides or from none.
func TestFailureIsSymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(jsonValue(0), 0, 3)
		a, b := any(list.Draw(t, "a")), any(list.Draw(t, "b"))
		if there, back := compared(0, a, b).first, compared(0, b, a).first; (there == nil) != (back == nil) {
			t.Fatalf("%+v one way, %+v the other", there, back)
		}
	})
}

// Taking something away from an answer, or bending a number further than the
// tolerance, is always found; adding keys never matters.
func TestDamageIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]any{"k": jsonValue(2).Draw(t, "k"), "n": json.Number(fmt.Sprint(rapid.Float64Range(-1e6, 1e6).Draw(t, "n")))}
		got := map[string]any{"k": want["k"], "n": want["n"], "more": true}
		if c := compared(1e-6, want, got); c.first != nil {
			t.Fatalf("a further key: %+v", c.first)
		}
		n := toFloat(want["n"].(json.Number))
		by := rapid.Float64Range(2, 1e9).Draw(t, "by") * 1e-6 * max(1, math.Abs(n))
		got["n"] = json.Number(fmt.Sprint(n + by))
		if c := compared(1e-6, want, got); c.first == nil || c.first.at != "n" || c.maxError < 1e-6 {
			t.Fatalf("%v bent to %v: %+v, maxError %v", want["n"], got["n"], c.first, c.maxError)
		}
		delete(got, "n")
		if c := compared(1e-6, want, got); c.first == nil {
			t.Fatal("a missing key was not found")
		}
	})
}

// The order of outputs, the nesting of data and further outputs say nothing.
func TestOpenInferenceFindsOutputsByName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(rapid.IntRange(-9, 9), 1, 6).Draw(t, "a")
		flat, nested := make([]any, len(a)), make([]any, len(a))
		for i, n := range a {
			flat[i] = json.Number(fmt.Sprint(n))
			nested[i] = []any{flat[i]}
		}
		tensor := func(name string, data []any) any { return map[string]any{"name": name, "data": data} }
		want := map[string]any{"outputs": []any{tensor("a", flat), tensor("b", nil)}}
		got := map[string]any{"outputs": rapid.Permutation([]any{tensor("b", nil), tensor("c", nil), tensor("a", nested)}).Draw(t, "order")}
		c := comparison{}
		c.openInference(want, got)
		if c.first != nil {
			t.Fatalf("%+v", c.first)
		}
		got["outputs"] = []any{tensor("a", append(nested, "x")), tensor("b", nil)}
		c.openInference(want, got)
		if c.first == nil || c.first.at != "outputs[a].data" {
			t.Fatalf("%+v", c.first)
		}
	})
}

func TestShorten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Repeat(rapid.String().Draw(t, "s"), rapid.IntRange(1, 60).Draw(t, "n")) + string(rapid.SliceOf(rapid.Byte()).Draw(t, "b"))
		short := shorten(s)
		if !utf8.ValidString(short) || utf8.RuneCountInString(short) > maxShown || strings.ContainsAny(short, "\n\r\t\x00\x1b") {
			t.Fatalf("%q became %q", s, short)
		}
	})
	if got := shorten("plain – text"); got != "plain – text" {
		t.Errorf("got %q", got)
	}
}

func FuzzCompare(f *testing.F) {
	f.Add(`{"outputs":[{"name":"y","shape":[1],"datatype":"FP64","data":[0.5]}]}`, `{"outputs":[{"name":"y","data":[[NaN]]}]}`, 0.1)
	f.Add(`{"outputs":[1]}`, `{"outputs":null}`, 0.0)
	f.Add(`[1e999,-0,"NaN"]`, `[Infinity,0,NaN]`, 1e9)
	f.Fuzz(func(t *testing.T, a, b string, tolerance float64) {
		want, err := decode([]byte(a))
		if err != nil || !(tolerance >= 0) {
			return
		}
		if c := compared(tolerance, want, want); c.first != nil {
			t.Fatalf("%s differs from itself: %+v", a, c.first)
		}
		valid := validExpectation(want) == nil
		if valid {
			c := comparison{tolerance: tolerance}
			if c.openInference(want, want); c.first != nil {
				t.Fatalf("%s differs from itself as an inference answer: %+v", a, c.first)
			}
		}
		got, err := decode([]byte(b))
		if err != nil {
			return
		}
		c := compared(tolerance, want, got)
		if valid {
			c.openInference(want, got)
		}
		if math.IsNaN(c.maxError) || math.IsInf(c.maxError, 0) && !strings.Contains(a+b, "e") {
			t.Fatalf("maxError %v", c.maxError)
		}
	})
}
