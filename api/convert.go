package api

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
)

// at is nil for the zero time, which in rollout means "not at any time".
func at(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func lasting(d time.Duration) *durationpb.Duration { return durationpb.New(d) }

func percent(w policy.Weight) float64 { return float64(w) / 100 }

// number maps a count to its wire type; counts beyond it don't exist.
func number(n int) int32 { return int32(n) } //nolint:gosec // ports, lines and counts of nodes

// list converts a slice; an empty one stays nil, as proto has no difference.
func list[A, B any](in []A, f func(A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = f(a)
	}
	return out
}

func weights(w rollout.Weights) *adminv1.Weights {
	return &adminv1.Weights{BluePercent: percent(w.Blue), GreenPercent: percent(w.Green)}
}

func counts(m map[policy.Color]int) *adminv1.ColorCounts {
	if len(m) == 0 {
		return nil
	}
	return &adminv1.ColorCounts{Blue: number(m[policy.Blue]), Green: number(m[policy.Green])}
}
