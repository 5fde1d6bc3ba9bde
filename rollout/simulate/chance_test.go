package simulate

import (
	"testing"
	"time"

	"greenlight/rollout"
)

// TestChance: what is drawn is what was given on average, varies as it should, and is
// the same for the same seed.
func TestChance(t *testing.T) {
	c := newChance(1)
	for _, expected := range []float64{0.3, 25, 400} {
		sum, squares, n := 0.0, 0.0, 20_000
		for range n {
			k := float64(c.arrivals(expected))
			sum, squares = sum+k, squares+k*k
		}
		mean := sum / float64(n)
		near(t, "arrivals", mean, expected, 0.02*expected+0.02)
		near(t, "their variance", squares/float64(n)-mean*mean, expected, 0.05*expected+0.05)
	}
	for _, p := range []float64{0, 0.01, 0.4, 1} {
		for _, of := range []int{10, 5000} {
			sum := 0
			for range 2000 {
				k := c.hits(of, p)
				if k < 0 || k > of {
					t.Fatalf("%d of %d", k, of)
				}
				sum += k
			}
			near(t, "hits", float64(sum)/2000/float64(of), p, 0.01)
		}
	}
}

// TestSeeds: the same seed tells the same story, another one another.
func TestSeeds(t *testing.T) {
	run := func(seed uint64, errors float64) (*World, string) {
		w := begin(canary(10*time.Minute, 20*time.Minute), func(g *Given) {
			g.Traffic.Rate, g.Traffic.Seed, g.Traffic.Green.Errors = 100, seed, errors
		})
		pass(t, w, 10*time.Minute)
		w.Command(rollout.Command{Verb: rollout.Start, Actor: "ann"})
		pass(t, w, time.Hour)
		return w, story(w)
	}
	_, one := run(1, 0.05)
	_, again := run(1, 0.05)
	_, other := run(2, 0.05)
	if one != again || one == other {
		t.Errorf("seed 1\n%s\nagain\n%s\nseed 2\n%s", one, again, other)
	}
	for seed := range uint64(10) {
		if w, told := run(seed+1, 0); w.State().Switch.Outcome != rollout.Succeeded {
			t.Errorf("seed %d takes an equal version back:\n%s", seed+1, told)
		}
		if w, told := run(seed+1, 0.05); w.State().Switch.Outcome != rollout.RolledBack {
			t.Errorf("seed %d lets a bad version through:\n%s", seed+1, told)
		}
	}
}
