package judge

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A sketch says the same as the numbers themselves, within its accuracy, also
// after it was merged, written and read.
func TestSketchAgreesWithTheNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfN(rapid.Float64Range(1e-4, 100), 1, 200).Draw(t, "seconds")
		var a, b Recorder
		for i, n := range numbers {
			if i%3 == 0 {
				a.Add(n)
			} else {
				b.Add(n)
			}
		}
		s := Merge(a.Sketch(), b.Sketch())
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var read Sketch
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		slices.Sort(numbers)
		for _, s := range []Sketch{s, read} {
			if s.Count() != len(numbers) {
				t.Fatalf("count %d, want %d", s.Count(), len(numbers))
			}
			for _, q := range []float64{0, 0.5, 0.9, 1} {
				want := numbers[int(q*float64(len(numbers)-1))]
				if got := s.Quantile(q); math.Abs(got-want) > 1.01*accuracy*want {
					t.Fatalf("quantile %v is %v, want %v", q, got, want)
				}
			}
			at := rapid.SampledFrom(numbers).Draw(t, "at")
			least, most := above(numbers, at*1.02), above(numbers, at*0.98)
			if n := s.Above(at); n < least || n > most {
				t.Fatalf("%d above %v, want %d to %d", n, at, least, most)
			}
		}
	})
}

func above(numbers []float64, than float64) int {
	n := 0
	for _, v := range numbers {
		if v > than {
			n++
		}
	}
	return n
}

func TestSketchThatIsEmptyOrBroken(t *testing.T) {
	var s Sketch
	if s.Count() != 0 || s.Quantile(0.5) != 0 || s.Above(0) != 0 || !s.IsZero() {
		t.Errorf("an empty sketch says something: %+v", s)
	}
	for _, text := range []string{`"!"`, `"AAAA"`, `"/w=="`} {
		if err := json.Unmarshal([]byte(text), &s); err == nil && s.Count() != 0 {
			t.Errorf("%s was read as %d requests", text, s.Count())
		}
	}
}
