package xds

import (
	"testing"

	"greenlight/policy"
	"greenlight/rollout"
)

// Over a restart, too, two Envoys with one id are two: one that came back says nothing
// of the other, which may be cut off and send users where it did.
func TestTwinsAreTwoOverARestart(t *testing.T) {
	for name, gone := range map[string]int{"both connected": -1, "the old one away": 0, "the young one away": 1} {
		t.Run(name, func(t *testing.T) {
			kept := &memory{}
			s := opened(t, Options{Nodes: kept}, fraud())
			twins := []*simNode{s.running(t, false), s.running(t, false)}
			s.Endpoints("fraud", eps(3, 2), eps(4, 2))
			for _, n := range twins {
				n.settle()
			}
			if !s.unsaved.Load() {
				t.Error("that they are two is not saved")
			}
			if gone >= 0 {
				twins[gone].leave()
			}
			if err := s.save(); err != nil {
				t.Fatal(err)
			}
			again := opened(t, Options{Nodes: kept}, fraud())
			again.running(t, false)
			again.is(t, "fraud", "a stale sender", func(r rollout.Report) bool {
				return !r.Settled && r.Acked == 1 && len(r.Stale) == 1 && r.MaySend[policy.Green] == 1
			})
			again.running(t, false)
			again.is(t, "fraud", "both back", func(r rollout.Report) bool {
				return r.Settled && r.Acked == 2 && len(r.Stale) == 0 && r.MaySend[policy.Green] == 0
			})
		})
	}
}

// A node reconnected before its old connection was noticed to be gone. Until it
// takes routes anew it follows those of the old one.
func TestYoungConnectionFollowsWhatTheOldOneDid(t *testing.T) {
	s := opened(t, Options{}, fraud())
	old := s.running(t, false)
	young := s.simulate(t, "a", false)
	old.leave()
	s.is(t, "fraud", "a sender to blue", func(r rollout.Report) bool { return r.Sending[policy.Blue] == 1 && len(r.Stale) == 0 })
	s.Route(routing(fraud(), 2, allGreen))
	young.settle()
	s.is(t, "fraud", "no sender to blue", nobodySends)
}

// The young connection ends first: it is the one that tells what the node does.
func TestYoungConnectionEndsBeforeTheOldOne(t *testing.T) {
	s := opened(t, Options{}, fraud())
	old, young := s.running(t, false), s.running(t, false)
	s.Route(routing(fraud(), 2, allGreen))
	young.settle()
	young.leave()
	s.is(t, "fraud", "a stale sender to green", func(r rollout.Report) bool { return len(r.Stale) == 1 && r.MaySend[policy.Green] >= 1 })
	old.leave()
	s.is(t, "fraud", "one stale node", func(r rollout.Report) bool {
		return len(r.Stale) == 1 && r.MaySend[policy.Blue] == 1 && r.MaySend[policy.Green] == 1
	})
	s.running(t, false)
	s.is(t, "fraud", "no stale node", func(r rollout.Report) bool { return r.Acked == 1 && nobodySends(r) })
}

// Two Envoys with one id, both of which speak: what the one takes says nothing
// of the one that went.
func TestTwinStaysStale(t *testing.T) {
	for _, first := range []int{0, 1} {
		s := opened(t, Options{}, fraud())
		twins := []*simNode{s.running(t, false), s.running(t, false)}
		s.Endpoints("fraud", eps(3, 2), eps(4, 2))
		for _, n := range twins {
			n.settle()
		}
		gone, left := twins[first], twins[1-first]
		gone.leave()
		s.Route(routing(fraud(), 2, allGreen))
		left.settle()
		s.is(t, "fraud", "a stale sender to blue", func(r rollout.Report) bool {
			return r.Acked == 1 && len(r.Stale) == 1 && r.MaySend[policy.Blue] == 1
		})
		if got := s.records(); len(got) != 1 {
			t.Errorf("one id is kept as %+v", got)
		}
		s.running(t, false)
		s.is(t, "fraud", "both back", func(r rollout.Report) bool { return r.Acked == 2 && nobodySends(r) })
	}
}
