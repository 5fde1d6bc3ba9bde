package rollout_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/judge"
)

// tally is n requests of which failed failed, each of which took the same time.
func tallyOf(n, failed int, took time.Duration) rollout.Tally {
	var r judge.Recorder
	for range n {
		r.Add(took.Seconds())
	}
	return rollout.Tally{Requests: n, Scaled: float64(n), Errors: failed, Latency: r.Sketch()}
}

// second is the window of the second that ends n seconds after start.
func second(n int, users ...rollout.Routed) rollout.Window {
	end := start.Add(time.Duration(n) * time.Second)
	return rollout.Window{Begin: end.Add(-time.Second), End: end, Users: users}
}

func routed(w rollout.Weights, blue, green rollout.Tally) rollout.Routed {
	return rollout.Routed{Weights: w, Colors: rollout.ByColor[rollout.Tally]{Blue: blue, Green: green}}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 0.011*math.Abs(b) }

func TestViewAddsUpTheLastTenSeconds(t *testing.T) {
	at5, at25 := rollout.Split(policy.Green, 500), rollout.Split(policy.Green, 2500)
	var traffic rollout.Traffic
	// Twenty seconds at 5 %, of which eight still count, and two at 25 %.
	for n := 1; n <= 20; n++ {
		traffic.Recent = append(traffic.Recent, second(n, routed(at5, tallyOf(95, 1, 10*time.Millisecond), tallyOf(5, 0, 10*time.Millisecond))))
	}
	for n := 21; n <= 22; n++ {
		w := second(n, routed(at25, tallyOf(75, 1, 10*time.Millisecond), tallyOf(25, 5, 30*time.Millisecond)))
		w.Shadow.Green = rollout.Tally{Requests: 10, Scaled: 100, Rejected: 1, Gone: 2}
		w.Preview.Green = tallyOf(1, 1, time.Second)
		w.Late, w.Doubled = 3, 2
		traffic.Recent = append(traffic.Recent, w)
	}
	v := traffic.View(at25)
	if !v.Until.Equal(start.Add(22*time.Second)) || v.Until.Sub(v.Since) != 10*time.Second {
		t.Errorf("from %s to %s", v.Since, v.Until)
	}
	blue, green := v.Users.Blue, v.Users.Green
	if blue.Requests != 8*95+2*75 || blue.Rate != 91 || blue.Errors != 10.0/910 {
		t.Errorf("blue: %+v", blue)
	}
	if green.Requests != 8*5+2*25 || green.Rate != 9 || green.Errors != 10.0/90 || !near(green.P50, 0.03) || !near(green.P99, 0.03) {
		t.Errorf("green: %+v", green)
	}
	if v.Share.Blue != 0.75 || v.Share.Green != 0.25 {
		t.Errorf("what was routed at 5 %% counts against 25 %%: %+v", v.Share)
	}
	if s := v.Shadow.Green; s.Requests != 20 || s.Rate != 20 || s.Rejected != 0.1 || s.Gone != 0.2 || s.P99 != 0 {
		t.Errorf("shadow: %+v", s)
	}
	if p := v.Preview.Green; p.Requests != 2 || p.Rate != 0.2 || p.Errors != 1 || !near(p.P90, 1) {
		t.Errorf("preview: %+v", p)
	}
	if (v.Shadow.Blue != rollout.Load{}) || v.Late != 6 || v.Doubled != 4 {
		t.Errorf("%+v", v)
	}
}

// A fleet that keeps its listeners can't tell by which weights it routed.
func TestShareOfReportsThatDoNotTellTheWeights(t *testing.T) {
	traffic := rollout.Traffic{Recent: []rollout.Window{second(1, routed(rollout.Weights{}, tallyOf(3, 0, time.Second), tallyOf(1, 0, time.Second)))}}
	if v := traffic.View(rollout.Split(policy.Green, 5000)); v.Share.Green != 0.25 {
		t.Errorf("share %+v", v.Share)
	}
}

func TestViewOfNothing(t *testing.T) {
	if v := (rollout.Traffic{}).View(rollout.AllOn(policy.Blue)); v != (rollout.TrafficView{}) {
		t.Errorf("nothing was reported: %+v", v)
	}
}

// Whatever is reported, the figures are those of a share, a rate and a distribution.
func TestViewIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rollout.Split(policy.Green, policy.Weight(rapid.IntRange(0, 10000).Draw(t, "weight")))
		draw := func() rollout.Tally {
			n := rapid.IntRange(0, 20).Draw(t, "requests")
			out := tallyOf(n, rapid.IntRange(0, n).Draw(t, "failed"), time.Duration(rapid.Int64Range(1, 1e10).Draw(t, "took")))
			out.Scaled = float64(n) * rapid.Float64Range(1, 100).Draw(t, "sampled")
			return out
		}
		var traffic rollout.Traffic
		asked := 0.0
		for n := range rapid.IntRange(1, 30).Draw(t, "seconds") {
			r := routed(weights, draw(), draw())
			traffic.Recent = append(traffic.Recent, second(n, r))
		}
		v := traffic.View(weights)
		for _, c := range policy.Colors {
			l := v.Users.Of(c)
			asked += v.Share.Of(c)
			if l.Errors < 0 || l.Errors > 1 || l.P50 > l.P90 || l.P90 > l.P99 || (l.Requests == 0) != (l == rollout.Load{}) {
				t.Fatalf("%s: %+v", c, l)
			}
			if rate := traffic.Rate(c); math.Abs(rate-l.Rate) > 1e-9*rate {
				t.Fatalf("%s: rate %v here and %v there", c, l.Rate, rate)
			}
		}
		if users := v.Users.Blue.Requests + v.Users.Green.Requests; users > 0 && math.Abs(asked-1) > 1e-9 || users == 0 && asked != 0 {
			t.Fatalf("the shares of %d requests add up to %v", users, asked)
		}
	})
}

func TestSoFar(t *testing.T) {
	plan := *shortest()
	plan.Judge = policy.Judge{MinRequests: 100}
	at5 := rollout.Split(policy.Green, 500)
	seen := rollout.Judging{Live: rollout.Answered{Requests: 1000, Errors: 1}, Idle: rollout.Answered{Requests: 200, Errors: 3}}
	state := func(p rollout.Phase, w rollout.Weights, j rollout.Judging) rollout.State {
		return rollout.State{Phase: p, Weights: w, Judging: j, Switch: &rollout.Switch{From: policy.Blue, To: policy.Green, Plan: plan}}
	}
	thin := seen
	thin.Idle = rollout.Answered{Requests: 4}
	off := state(rollout.Holding, at5, seen)
	off.Switch.Plan.Judge.Off = true
	tests := map[string]struct {
		s    rollout.State
		want string
	}{
		"no switch":      {rollout.State{Phase: rollout.Idle}, ""},
		"nobody there":   {state(rollout.Preparing, rollout.AllOn(policy.Blue), rollout.Judging{}), ""},
		"off":            {off, ""},
		"nothing yet":    {state(rollout.Holding, at5, rollout.Judging{}), "nothing yet: green was seen to answer no request"},
		"thin":           {state(rollout.Holding, at5, thin), "too little yet, it takes 100 requests: green failed 0% of 4 requests against 0.1% of 1000 of blue"},
		"enough":         {state(rollout.Holding, at5, seen), "no worse so far: green failed 1.5% of 200 requests against 0.1% of 1000 of blue"},
		"held":           {state(rollout.Held, at5, seen), "no worse so far: green failed 1.5% of 200 requests against 0.1% of 1000 of blue"},
		"copies":         {state(rollout.Shadowing, rollout.AllOn(policy.Blue), seen), "no worse so far: green failed 1.5% of 200 mirrored requests against 0.1% of 1000 of blue"},
		"alone, unknown": {state(rollout.Baking, rollout.AllOn(policy.Green), seen), "compared with nothing, blue was seen to answer too little before it: green failed 1.5% of 200 requests"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := tt.s.SoFar()
			// The odds of a comparison may stand behind it.
			if got != tt.want && (tt.want == "" || !strings.HasPrefix(got, tt.want+" (evidence ")) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A crowd of nodes that was scaled down is not silent, although a report names few of
// those that are away, and none of those whose lease has ended.
func TestNodesThatLeftAreNotSilent(t *testing.T) {
	w := newWorld(t, shortest())
	w.step(rollout.Observed{Endpoints: w.healthy()})
	seconds := func(n, nodes int) {
		for range n {
			w.now = w.now.Add(time.Second)
			window := rollout.Window{Begin: w.now.Add(-time.Second), End: w.now}
			for i := range nodes {
				window.Nodes = append(window.Nodes, rollout.NodeWindow{Fleet: "edge", Node: fmt.Sprintf("e%03d", i), Weights: w.s.Weights, Requests: rollout.ByColor[int]{Blue: 20}})
			}
			w.step(rollout.Measured{Windows: []rollout.Window{window}})
		}
	}
	w.step(rollout.Reported{Report: allACK(w.s, 60)})
	seconds(10, 60)
	r := allACK(w.s, 10)
	for i := range rollout.ReportList {
		r.Stale = append(r.Stale, rollout.Stale{Fleet: "edge", Node: fmt.Sprintf("e%03d", 10+i)})
	}
	w.step(rollout.Reported{Report: r})
	seconds(20, 10)
	if all := w.s.Silent(); len(all) != 0 {
		t.Errorf("%d nodes that left are silent: %+v", len(all), all[0])
	}
	w.step(rollout.Reported{Report: allACK(w.s, 60)})
	if all := w.s.Silent(); len(all) != 50 {
		t.Errorf("%d of 50 connected nodes are silent", len(all))
	}
}

// A node that left its fleet, and whose lease has ended, is not silent because clients
// without a proxy, or another fleet, are connected and report nothing.
func TestWhoNeverReportsMakesNobodySilent(t *testing.T) {
	w := newWorld(t, shortest())
	w.step(rollout.Observed{Endpoints: w.healthy()})
	connected := func(edge int) {
		r := allACK(w.s, edge+4)
		r.Envoys = map[string]int{"edge": edge, "own": 2}
		w.step(rollout.Reported{Report: r})
	}
	reporting := func(nodes int) func() rollout.Window {
		return func() rollout.Window {
			var out rollout.Window
			for i := range nodes {
				out.Nodes = append(out.Nodes, rollout.NodeWindow{Fleet: "edge", Node: fmt.Sprintf("e%d", i), Weights: w.s.Weights, Requests: rollout.ByColor[int]{Blue: 20}})
			}
			return out
		}
	}
	connected(3)
	w.meet(10*time.Second, reporting(3))
	w.meet(10*time.Second, reporting(2))
	if all := w.s.Silent(); len(all) != 1 {
		t.Errorf("one of three is silent: %+v", all)
	}
	connected(2)
	if all := w.s.Silent(); len(all) != 0 {
		t.Errorf("a node that left is silent: %+v", all)
	}
}
