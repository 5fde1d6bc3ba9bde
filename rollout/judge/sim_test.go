package judge_test

import (
	"slices"
	"sync"
	"testing"

	"greenlight/rollout/judge"
)

// byDefault is what a policy that says nothing asks.
var byDefault = judge.Config{Risk: 0.01, Errors: true, ErrorTolerance: 1, Latency: true, LatencyTolerance: 1.1}

// families are the kinds of traffic, and how many of 10,000 switches each has.
var families = []struct {
	family
	switches int
}{
	{family{name: "independent draws", rate: 100, bad: 0.01}, 1500},
	{family{name: "bursty arrivals, driven latency", rate: 100, bad: 0.01, bursty: true}, 1500},
	{family{name: "shared incidents, retries", rate: 100, bad: 0.01, bursty: true, shared: true, retries: true}, 1500},
	{family{name: "pauses of one color", rate: 100, bad: 0.01, bursty: true, pauses: true}, 1500},
	{family{name: "sticky split of 5,000 users", rate: 100, bad: 0.01, bursty: true, users: 5000, retries: true}, 1200},
	{family{name: "everything, heavy tails", rate: 100, bad: 0.01, bursty: true, shared: true, pauses: true, retries: true, heavy: true}, 1200},
	{family{name: "everything, 5 requests a second", rate: 5, bad: 0.02, bursty: true, shared: true, pauses: true, retries: true}, 1500},
	{family{name: "everything, 2,000 requests a second", rate: 2000, bad: 0.002, bursty: true, shared: true, pauses: true, retries: true}, 100},
}

const (
	stepSeconds = 40 // each of the steps 5 %, 25 %, 50 %
	bakeSeconds = 60 // alone against the record
)

// rolledBack plays a switch to an equal version; it names the part that was wrong.
func rolledBack(f family, seed uint64) string {
	w := newWorld(f, seed)
	var before judge.Record
	for range stepSeconds {
		live, _ := w.second(0, regression{})
		before = before.Add(live)
	}
	var test judge.Test
	for _, weight := range []float64{0.05, 0.25, 0.5} {
		for range stepSeconds {
			live, idle := w.second(weight, regression{})
			before = before.Add(live)
			test = test.Look(byDefault, live, idle)
			if found := test.Finding(byDefault); found.Worse {
				return found.Metric
			}
		}
	}
	alone := judge.NewAlone(before)
	for range bakeSeconds {
		_, idle := w.second(1, regression{})
		alone = alone.Look(byDefault, idle)
		if found := alone.Finding(byDefault); found.Worse {
			return "bake, " + found.Metric
		}
	}
	return ""
}

// requestsToFind is how many requests the new color answered until it was found
// worse, at most limit; found is false if it wasn't.
func requestsToFind(f family, weight float64, worse regression, metric string, limit int, seed uint64) (requests int, found bool) {
	w := newWorld(f, seed)
	var test judge.Test
	for {
		live, idle := w.second(weight, worse)
		if requests+idle.Requests > limit {
			return limit, false
		}
		requests += idle.Requests
		test = test.Look(byDefault, live, idle)
		if f := test.Finding(byDefault); f.Worse {
			return requests, f.Metric == metric
		}
	}
}

// parallel calls play for 0 to n-1 and gives what it returned, in order.
func parallel[T any](n int, play func(i int) T) []T {
	results := make([]T, n)
	var all sync.WaitGroup
	for part := range 2 {
		all.Go(func() {
			for i := part; i < n; i += 2 {
				results[i] = play(i)
			}
		})
	}
	all.Wait()
	return results
}

// BenchmarkSimEqualVersions prints how many switches to an equal version are
// wrongly rolled back, and fails above 1 %.
func BenchmarkSimEqualVersions(b *testing.B) {
	for b.Loop() {
		switches, wrong := 0, 0
		b.Logf("%-40s %8s %6s %7s  seeds from 1; steps of %d s, bake of %d s", "equal versions", "switches", "wrong", "rate", stepSeconds, bakeSeconds)
		for _, f := range families {
			why := map[string]int{}
			for _, r := range parallel(f.switches, func(i int) string { return rolledBack(f.family, uint64(i)+1) }) {
				if r != "" {
					why[r]++
				}
			}
			n := 0
			for _, count := range why {
				n += count
			}
			b.Logf("%-40s %8d %6d %6.2f%%  %v", f.name, f.switches, n, 100*float64(n)/float64(f.switches), why)
			switches, wrong = switches+f.switches, wrong+n
		}
		b.Logf("%-40s %8d %6d %6.2f%%", "all", switches, wrong, 100*float64(wrong)/float64(switches))
		if wrong*100 > switches {
			b.Errorf("%d of %d switches to an equal version were rolled back; at most 1 %% may", wrong, switches)
		}
	}
}

// BenchmarkSimWorseVersions prints how soon a worse version is found, and fails
// where fewer than 95 % are in time.
func BenchmarkSimWorseVersions(b *testing.B) {
	cases := []struct {
		name   string
		worse  regression
		metric string
		limit  int
	}{
		{"errors 1 % to 3 %", regression{bad: 0.03}, judge.MetricErrors, 3000},
		{"all latencies doubled", regression{slower: 2}, judge.MetricLatency, 5000},
		{"latencies beyond p95 doubled", regression{tail: 2}, judge.MetricLatency, 5000},
	}
	const trials = 100
	for b.Loop() {
		b.Logf("%-32s %-36s %5s %7s %7s  requests to the new color; seeds from 1", "worse version", "traffic", "split", "found", "median")
		for _, c := range cases {
			for _, f := range families[:6] {
				for _, weight := range []float64{0.05, 0.25, 0.5} {
					found := 0
					var requests []int
					type result struct {
						n  int
						ok bool
					}
					for _, r := range parallel(trials, func(i int) result {
						n, ok := requestsToFind(f.family, weight, c.worse, c.metric, c.limit, uint64(i)+1)
						return result{n, ok}
					}) {
						requests = append(requests, r.n)
						if r.ok {
							found++
						}
					}
					slices.Sort(requests)
					b.Logf("%-32s %-36s %4.0f%% %6.1f%% %7d", c.name, f.name, 100*weight, 100*float64(found)/trials, requests[trials/2])
					if found*100 < 95*trials {
						b.Errorf("%s, %s, %.0f %%: found %d of %d within %d requests; at least 95 %% must be", c.name, f.name, 100*weight, found, trials, c.limit)
					}
				}
			}
		}
	}
}
