package judge_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"greenlight/rollout/judge"
)

// byDefault is what a policy that says nothing asks of all comparisons together.
var byDefault = judge.Config{Risk: 0.01, Errors: true, ErrorTolerance: 1, Latency: true, LatencyTolerance: 1.1}

// The parts of the policy's risk that a switch gives to the comparison of the
// steps, of the bake and of the shadow.
var (
	bySteps  = part(0.5)
	byBake   = part(0.3)
	byShadow = part(0.2)
)

func part(of float64) judge.Config {
	c := byDefault
	c.Risk *= of
	return c
}

// families are the kinds of traffic, how many of 10,000 switches each has, and
// whether a worse version must be found in time among them.
var families = []struct {
	family
	switches int
	goal     bool
}{
	{family{name: "independent draws", rate: 100, bad: 0.01}, 1200, true},
	{family{name: "bursty arrivals, driven latency", rate: 100, bad: 0.01, bursty: true}, 1400, true},
	{family{name: "pauses of one color", rate: 100, bad: 0.01, bursty: true, pauses: true}, 1400, true},
	{family{name: "shared incidents, retries", rate: 100, bad: 0.01, bursty: true, shared: true, retries: true}, 1400, false},
	{family{name: "sticky split of 5,000 users", rate: 100, bad: 0.01, bursty: true, users: 5000, retries: true}, 1200, false},
	{family{name: "everything, heavy tails", rate: 100, bad: 0.01, bursty: true, shared: true, pauses: true, retries: true, heavy: true}, 1200, false},
	{family{name: "everything, 5 requests a second", rate: 5, bad: 0.02, bursty: true, shared: true, pauses: true, retries: true}, 1200, false},
	{family{name: "everything, 2,000 requests a second", rate: 2000, bad: 0.002, bursty: true, shared: true, pauses: true, retries: true}, 1000, false},
}

// The seeds of the table. None of them was used to choose a constant of the
// package: those were chosen on seeds below 100,000 and from 2,000,000 to 2,000,399.
const (
	equalSeeds = 4_000_000
	worseSeeds = 5_000_000
	aloneSeeds = 6_000_000
)

// The lengths in seconds of each of the steps 5 %, 25 % and 50 %, and of a bake;
// each switch has one of each, and one of three copies users' requests first.
var (
	stepLengths = [...]int{20, 40, 60, 180}
	bakeLengths = [...]int{60, 60, 60, 300, 60, 300, 60, 300, 60, 300, 60, 300, 60, 300, 60, 300, 60, 60, 60, 1800}
)

const shadowLength = 60

// rolledBack plays a switch to an equal version; it names the part that was wrong.
func rolledBack(f family, i int) string {
	w := newWorld(f, equalSeeds+uint64(i))
	step, bake := stepLengths[i%len(stepLengths)], bakeLengths[i/len(stepLengths)%len(bakeLengths)]
	var before judge.Record
	for range step {
		live, _ := w.second(0, regression{})
		before = before.Add(live)
	}
	if i%3 == 0 {
		if wrong := shadowed(w, before); wrong != "" {
			return wrong
		}
	}
	var test judge.Test
	for _, weight := range []float64{0.05, 0.25, 0.5} {
		for range step {
			live, idle := w.second(weight, regression{})
			before = before.Add(live)
			test = test.Look(bySteps, live, idle)
			if found := test.Finding(bySteps); found.Worse {
				return found.Metric
			}
		}
	}
	alone := judge.NewAlone(before)
	for range bake {
		_, idle := w.second(1, regression{})
		alone = alone.Look(byBake, idle)
		if found := alone.Finding(byBake); found.Worse {
			return "bake, " + found.Metric
		}
	}
	return ""
}

// shadowed copies a tenth of users' requests to the idle color.
func shadowed(w *world, before judge.Record) string {
	var test judge.Test
	slowed := judge.NewAlone(before)
	for range shadowLength {
		live, idle := w.copied(0.1)
		test, slowed = test.Look(byShadow, live, idle), slowed.Look(byShadow, live)
		if found := test.Finding(byShadow); found.Worse {
			return "shadow, " + found.Metric
		}
		if found := slowed.Finding(byShadow); found.Worse && found.Metric == judge.MetricLatency {
			return "shadow, slowed"
		}
	}
	return ""
}

// parallel calls play for 0 to n-1 and gives what it returned, in order.
func parallel[T any](n int, play func(i int) T) []T {
	results := make([]T, n)
	var all sync.WaitGroup
	var next atomic.Int64
	for range 2 {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				results[i] = play(i)
			}
		})
	}
	all.Wait()
	return results
}

// row prints a line of a table; a benchmark's own log keeps but ten lines.
func row(format string, args ...any) { fmt.Fprintf(os.Stdout, format+"\n", args...) }

// byChance is the most of n that a rate of 1 % gives, but for 1 in 1,000 tables.
func byChance(n int) int {
	mean := 0.01 * float64(n)
	term, sum, k := math.Exp(-mean), math.Exp(-mean), 0
	for sum < 0.999 {
		k++
		term *= mean / float64(k)
		sum += term
	}
	return k
}

// BenchmarkSimEqualVersions prints how many switches to an equal version are
// wrongly rolled back, and fails above 1 %.
func BenchmarkSimEqualVersions(b *testing.B) {
	for b.Loop() {
		switches, wrong := 0, 0
		row("%-38s %8s %6s %7s  seeds from %d; steps of %v s, bakes of 60, 300 (7 in 20) and 1,800 s (1 in 20)",
			"equal versions", "switches", "wrong", "rate", equalSeeds, stepLengths)
		for _, f := range families {
			why, n, began := map[string]int{}, 0, time.Now()
			for _, r := range parallel(f.switches, func(i int) string { return rolledBack(f.family, i) }) {
				if r != "" {
					why[r]++
					n++
				}
			}
			row("%-38s %8d %6d %6.2f%%  %v (%.0f s)", f.name, f.switches, n, 100*float64(n)/float64(f.switches), why, time.Since(began).Seconds())
			if most := byChance(f.switches); n > most {
				b.Errorf("%s: %d of %d switches to an equal version were rolled back; at 1 %%, chance allows %d", f.name, n, f.switches, most)
			}
			switches, wrong = switches+f.switches, wrong+n
		}
		row("%-38s %8d %6d %6.2f%%", "all", switches, wrong, 100*float64(wrong)/float64(switches))
		if wrong*100 > switches {
			b.Errorf("%d of %d switches to an equal version were rolled back; at most 1 %% may", wrong, switches)
		}
	}
}

// never is how many requests it takes to find what is not found.
const never = math.MaxInt

// found is how many requests a worse version answers until it is found, at most limit.
func found(f family, weight float64, worse regression, metric string, limit int, seed uint64) int {
	w := newWorld(f, seed)
	var test judge.Test
	for n := 0; ; {
		live, idle := w.second(weight, worse)
		if n += idle.Requests; n > limit {
			return never
		}
		test = test.Look(bySteps, live, idle)
		if f := test.Finding(bySteps); f.Worse {
			if f.Metric != metric {
				return never
			}
			return n
		}
	}
}

// foundAlone is the same for one that carries everything, for at most so many seconds.
func foundAlone(f family, worse regression, seconds int, seed uint64) int {
	w := newWorld(f, seed)
	var before judge.Record
	for range 120 {
		live, _ := w.second(0, regression{})
		before = before.Add(live)
	}
	alone, n := judge.NewAlone(before), 0
	for range seconds {
		_, idle := w.second(1, worse)
		n += idle.Requests
		alone = alone.Look(byBake, idle)
		if alone.Finding(byBake).Worse {
			return n
		}
	}
	return never
}

// within is the share of plays that ended within so many requests, in percent.
func within(plays []int, limit int) float64 {
	n := 0
	for _, p := range plays {
		if p <= limit {
			n++
		}
	}
	return 100 * float64(n) / float64(len(plays))
}

// requestsFor is within how many requests a share of the plays ended, or "not".
func requestsFor(plays []int, share float64) any {
	slices.Sort(plays)
	if n := plays[int(math.Ceil(share*float64(len(plays))))-1]; n < never {
		return n
	}
	return "not"
}

// BenchmarkSimWorseVersions prints how soon a worse version is found, and fails
// where fewer than 95 % are in time among traffic that has a goal.
func BenchmarkSimWorseVersions(b *testing.B) {
	const trials, patience = 400, 4
	cases := []struct {
		name   string
		worse  regression
		metric string
		limit  int
	}{
		{"errors 1 % to 3 %", regression{bad: 0.03}, judge.MetricErrors, 3000},
		{"p99 doubled, body unchanged", regression{tail: 2}, judge.MetricLatency, 5000},
		{"all latencies doubled", regression{slower: 2}, judge.MetricLatency, 5000},
	}
	for b.Loop() {
		for _, c := range cases {
			row("%-28s %-32s %5s %7s %7s %7s  requests to the new color, %d trials, seeds from %d",
				c.name, "traffic", "split", "found", "median", "95 %", trials, worseSeeds)
			for _, f := range families[:6] {
				for _, weight := range []float64{0.05, 0.25, 0.5} {
					plays := parallel(trials, func(i int) int {
						return found(f.family, weight, c.worse, c.metric, patience*c.limit, worseSeeds+uint64(i))
					})
					share, goal, least := within(plays, c.limit), "", 0.0
					if f.goal {
						goal, least = "  (goal: 95 %)", 95
					}
					row("  within %5d %13s %-32s %4.0f%% %6.1f%% %7v %7v%s", c.limit, "", f.name, 100*weight, share, requestsFor(plays, 0.5), requestsFor(plays, 0.95), goal)
					if share < least {
						b.Errorf("%s, %s, %.0f %%: found %.1f %% within %d requests; at least %g %% must be", c.name, f.name, 100*weight, share, c.limit, least)
					}
				}
			}
		}
	}
}

// BenchmarkSimWorseAlone prints how soon a worse version that carries everything
// is found by the record of the one before. It has no goal.
func BenchmarkSimWorseAlone(b *testing.B) {
	const trials, seconds = 100, 300
	cases := []struct {
		name  string
		worse regression
	}{
		{"errors 1 % to 3 %", regression{bad: 0.03}},
		{"errors 1 % to 10 %", regression{bad: 0.1}},
		{"half of all requests fail", regression{outage: true}},
		{"all latencies doubled", regression{slower: 2}},
		{"all latencies tripled", regression{slower: 3}},
		{"p99 doubled, body unchanged", regression{tail: 2}},
	}
	for b.Loop() {
		row("%-28s %-32s %7s %7s  requests in a bake of %d s, %d trials, seeds from %d", "alone in the bake", "traffic", "found", "median", seconds, trials, aloneSeeds)
		for _, c := range cases {
			for _, f := range families[:6] {
				plays := parallel(trials, func(i int) int { return foundAlone(f.family, c.worse, seconds, aloneSeeds+uint64(i)) })
				row("%-28s %-32s %6.0f%% %7v", c.name, f.name, within(plays, never-1), requestsFor(plays, 0.5))
			}
		}
	}
}
