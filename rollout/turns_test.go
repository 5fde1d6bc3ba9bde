package rollout_test

import (
	"fmt"
	"strings"
	"testing"

	"greenlight/policy"
	"greenlight/rollout"

	"pgregory.net/rapid"
)

func member(model string, atMost int, order int64) rollout.Claimant {
	return rollout.Claimant{Model: model, Queue: policy.Queue{Group: "ranking", AtMost: atMost}, Waits: true, Order: order}
}

func TestTurns(t *testing.T) {
	runs := rollout.Claimant{Model: "spam", Queue: policy.Queue{Group: "ranking", AtMost: 2}, Runs: true, Unsettled: "switch s1 of spam is baking"}
	a, b, c := member("a", 2, 1), member("b", 3, 2), member("c", 2, 3)
	barred, dependent := a, a
	barred.Barred, dependent.DependsOn = "its calendar is closed", []string{"spam"}
	alone := rollout.Claimant{Model: "alone", Waits: true, DependsOn: []string{"spam"}}
	free := rollout.Claimant{Model: "free", Waits: true, DependsOn: []string{"nobody", "a"}}
	for name, tt := range map[string]struct {
		all     []rollout.Claimant
		granted map[string]bool
		want    map[string]string // who waits, and for what; "" has its turn
	}{
		"in order": {[]rollout.Claimant{c, runs, b, a}, nil, map[string]string{
			"a": "", "b": "place 2 of 3 in the queue of group ranking: spam is switched, at most 2 at once",
			"c": "place 3 of 3 in the queue of group ranking: spam is switched, at most 2 at once",
		}},
		"a closed calendar lets others pass": {[]rollout.Claimant{barred, runs, b}, nil, map[string]string{"a": "its calendar is closed", "b": ""}},
		"so does a dependency": {[]rollout.Claimant{dependent, runs, b}, nil, map[string]string{
			"a": "it depends on spam: switch s1 of spam is baking", "b": "",
		}},
		"what was granted is taken": {[]rollout.Claimant{runs, a, b}, map[string]bool{"b": true}, map[string]string{
			"a": "place 1 of 1 in the queue of group ranking: b, spam are switched, at most 2 at once", "b": "",
		}},
		"without a group": {[]rollout.Claimant{runs, alone, free}, nil, map[string]string{
			"alone": "it depends on spam: switch s1 of spam is baking", "free": "",
		}},
	} {
		got := rollout.Turns(tt.all, tt.granted)
		if len(got) != len(tt.want) {
			t.Errorf("%s: %v", name, got)
		}
		for model, why := range tt.want {
			turn := got[model]
			if turn.Granted != (why == "" || tt.granted[model]) || turn.Why != why {
				t.Errorf("%s: %s got %+v, want %q", name, model, turn, why)
			}
		}
	}
}

// Whatever comes, goes and moves: a group never has more running than it may, nobody
// passes who asked first and could begin, and everybody's turn comes.
func TestTheQueueIsFairAndNeverTooMany(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		atMost := rapid.IntRange(1, 3).Draw(t, "atMost")
		all, granted := map[string]rollout.Claimant{}, map[string]bool{}
		clock := int64(0)
		settle := func() {
			var list []rollout.Claimant
			for _, c := range all {
				list = append(list, c)
			}
			turns := rollout.Turns(list, granted)
			for model, turn := range turns {
				for other, that := range turns {
					if turn.Granted && !granted[model] && !that.Granted && all[other].Barred == "" && all[other].Order < all[model].Order {
						t.Fatalf("%s passed %s", model, other)
					}
				}
			}
			for model, turn := range turns {
				if turn.Granted {
					granted[model] = true
				}
			}
			taken := 0
			for model, c := range all {
				if c.Runs || c.Waits && granted[model] {
					taken++
				}
			}
			if taken > atMost {
				t.Fatalf("%d of at most %d: %v", taken, atMost, granted)
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			clock++
			model := fmt.Sprintf("m%d", rapid.IntRange(0, 6).Draw(t, "model"))
			c, ok := all[model]
			switch what := rapid.IntRange(0, 5).Draw(t, "what"); {
			case !ok || !c.Waits && !c.Runs:
				c = member(model, atMost, clock)
			case c.Waits && what == 0:
				if c.Barred != "" {
					c.Barred = ""
				} else { // it hands its place back
					c.Barred = "its calendar is closed"
					delete(granted, model)
				}
			case c.Waits && what == 1:
				c.Order = rapid.Int64Range(-100, 100).Draw(t, "order")
			case c.Waits && granted[model]: // it begins
				c.Waits, c.Runs = false, true
				delete(granted, model)
			case c.Runs && what > 2:
				c = rollout.Claimant{Model: model}
			}
			all[model] = c
			settle()
		}
		for range 50 { // all that run end, all that may begin do
			for model, c := range all {
				switch {
				case c.Runs:
					all[model] = rollout.Claimant{Model: model}
				case c.Waits && granted[model]:
					c.Waits, c.Runs = false, true
					delete(granted, model)
					all[model] = c
				case c.Waits:
					c.Barred = ""
					all[model] = c
				}
			}
			settle()
		}
		for model, c := range all {
			if c.Waits {
				t.Fatalf("the turn of %s never came: %+v", model, c)
			}
		}
	})
}

// What others hear of a model is why they have to wait for it.
func TestClaimant(t *testing.T) {
	p := shortest()
	p.Wanted = policy.Wanted{Color: policy.Green}
	s := rollout.State{Model: "fraud", Live: policy.Blue, Phase: rollout.Idle}
	if c := s.Claimant(p); c.Runs || c.Waits || !strings.Contains(c.Unsettled, "wants green live") {
		t.Errorf("adrift: %+v", c)
	}
	s.Live = policy.Green
	if c := s.Claimant(p); c.Unsettled != "" {
		t.Errorf("settled: %+v", c)
	}
	s.Phase, s.Switch = rollout.Baking, &rollout.Switch{ID: "s1", To: policy.Green}
	if c := s.Claimant(p); !c.Runs || c.Unsettled != "switch s1 of fraud is baking" {
		t.Errorf("baking: %+v", c)
	}
	s.Phase, s.Queued.Order = rollout.Waiting, 7
	if c := s.Claimant(p); c.Runs || !c.Waits || c.Order != 7 || c.Unsettled != "switch s1 of fraud is waiting" || c.Barred != "" {
		t.Errorf("waiting: %+v", c)
	}
	s.Queued.Silent = true
	if c := s.Claimant(p); c.Barred != "the registry has not answered yet" {
		t.Errorf("without its registry: %+v", c)
	}
}
