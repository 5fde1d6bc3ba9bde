package judge

import (
	"encoding/base64"
	"fmt"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"
)

// The relative accuracy of a sketch's quantiles (DDSketch: Masson, Rim and Lee,
// VLDB 2019), and the values it tells apart, in seconds. What lies outside
// counts as the nearest of them, which bounds a sketch to 1,300 bins.
const (
	accuracy = 0.01
	shortest = 1e-6
	longest  = 1e5
)

// Sketch is how long requests took: a distribution that can be merged with
// others. The zero value is empty. Nobody changes one.
type Sketch struct{ bins *ddsketch.DDSketch }

// Recorder makes a Sketch. The zero value is empty.
type Recorder struct{ bins *ddsketch.DDSketch }

func newBins() *ddsketch.DDSketch {
	m, err := mapping.NewLogarithmicMapping(accuracy)
	if err != nil { // accuracy is a constant between 0 and 1
		return nil
	}
	return ddsketch.NewDDSketchFromStoreProvider(m, store.DenseStoreConstructor)
}

// Add counts one request that took so many seconds.
func (r *Recorder) Add(seconds float64) {
	if r.bins == nil {
		r.bins = newBins()
	}
	// The only error is a value out of the mapping's range.
	_ = r.bins.Add(min(max(seconds, shortest), longest))
}

// Merge adds what s holds.
func (r *Recorder) Merge(s Sketch) {
	if s.bins == nil {
		return
	}
	if r.bins == nil {
		r.bins = newBins()
	}
	// The only error is another mapping, and there is but one.
	_ = r.bins.MergeWith(s.bins)
}

// Sketch is what was added so far; the recorder begins anew.
func (r *Recorder) Sketch() Sketch {
	s := Sketch{r.bins}
	r.bins = nil
	return s
}

// Merge is all of sketches in one.
func Merge(sketches ...Sketch) Sketch {
	var r Recorder
	for _, s := range sketches {
		r.Merge(s)
	}
	return r.Sketch()
}

// Count is how many requests s holds.
func (s Sketch) Count() int {
	if s.bins == nil {
		return 0
	}
	return int(s.bins.GetCount())
}

// Quantile is the time within which a share q, 0 to 1, of the requests was
// answered, in seconds; 0 if there are none.
func (s Sketch) Quantile(q float64) float64 {
	if s.Count() == 0 {
		return 0
	}
	v, err := s.bins.GetValueAtQuantile(q)
	if err != nil {
		return 0
	}
	return v
}

// Above counts the requests that took longer than so many seconds, as exactly as
// the bins allow.
func (s Sketch) Above(seconds float64) int {
	if s.bins == nil {
		return 0
	}
	seconds = min(max(seconds, shortest/2), 2*longest) // no bin lies outside
	last := s.bins.Index(seconds)                      // of the bins that are not above it
	if s.bins.Value(last) > seconds {
		last--
	}
	n := 0.0
	s.bins.GetPositiveValueStore().ForEach(func(bin int, count float64) bool {
		if bin > last {
			n += count
		}
		return false
	})
	return int(n)
}

// MarshalText writes s in DDSketch's own encoding, in base64.
func (s Sketch) MarshalText() ([]byte, error) {
	if s.bins == nil {
		return nil, nil
	}
	var raw []byte
	s.bins.Encode(&raw, true)
	return base64.StdEncoding.AppendEncode(nil, raw), nil
}

// UnmarshalText reads what MarshalText wrote.
func (s *Sketch) UnmarshalText(text []byte) error {
	s.bins = nil
	if len(text) == 0 {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		return fmt.Errorf("read sketch: %w", err)
	}
	bins := newBins()
	s.bins, err = ddsketch.DecodeDDSketch(raw, store.DenseStoreConstructor, bins.IndexMapping)
	if err != nil {
		s.bins = nil
		return fmt.Errorf("read sketch: %w", err)
	}
	return nil
}

// IsZero reports whether s is empty.
func (s Sketch) IsZero() bool { return s.bins == nil }
