package telemetry

import (
	"slices"
	"strconv"

	"greenlight/policy"
)

// totals are what was reported of a model since the start, for /metrics.
type totals struct {
	requests map[classKey]float64
	of       map[kindKey]*total
	// late and doubled are reports that were left out.
	late, doubled int
}

type kindKey struct {
	color policy.Color
	kind  kind
}

type classKey struct {
	kindKey
	class string
}

// buckets are the upper ends of the histogram's, in seconds.
var buckets = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}

// total adds up requests; each may stand for several, so that none is a whole number.
type total struct {
	errors float64
	// below counts those that took no longer than the bucket, and more than the one before.
	below   [16]float64 // the last is of those that took longer than any
	seconds float64
}

func (t *totals) add(r request, scale float64) {
	if t.of == nil {
		t.requests, t.of = map[classKey]float64{}, map[kindKey]*total{}
	}
	key := kindKey{r.color, r.kind}
	t.requests[classKey{key, classOf(r)}] += scale
	one := t.of[key]
	if one == nil {
		one = &total{}
		t.of[key] = one
	}
	if r.error {
		one.errors += scale
	}
	if !r.gone { // how long a client waited says nothing of the answer
		at, _ := slices.BinarySearch(buckets, r.seconds)
		one.below[at] += scale
		one.seconds += r.seconds * scale
	}
}

func classOf(r request) string {
	switch {
	case r.gone:
		return "gone"
	case r.grpc > 0 && r.error:
		return "grpc_error"
	case r.class > 0:
		return strconv.Itoa(r.class) + "xx"
	default:
		return "none"
	}
}
