package replay

import (
	"slices"
	"time"

	"greenlight/rollout"
	"greenlight/rollout/record"
	"greenlight/rollout/simulate"
)

// answers is how the fleets answered each of the recorded routings.
type answers struct {
	usual time.Duration // of those that were confirmed, the median
	by    []answer
}

// answer is what became of one routing.
type answer struct {
	weights rollout.Weights
	after   time.Duration
	nack    simulate.Nack // Times is 0 when it was not rejected
	used    bool
}

const (
	// unanswered is how long nodes take that did not answer while it was recorded.
	unanswered = 24 * time.Hour
	// anyFleet is how long they take when none has confirmed anything.
	anyFleet = 200 * time.Millisecond
	// patience is how long a routing that nobody confirmed has to stand to count as one
	// that nodes did not answer.
	patience = 10 * time.Second
)

func newAnswers(r record.Recording) *answers {
	out := &answers{usual: anyFleet}
	var took []time.Duration
	for i, e := range r.Entries {
		if e.Published == nil {
			continue
		}
		a := answer{weights: e.Published.Weights, after: -1}
		stands := r.Entries[len(r.Entries)-1].At.Sub(e.At)
		for _, next := range r.Entries[i+1:] {
			if next.Published != nil {
				stands = next.At.Sub(e.At)
				break
			}
			f := next.Fleet
			if f == nil || f.Generation != e.Published.Generation {
				continue
			}
			if len(f.Rejected) > 0 {
				no := f.Rejected[0]
				a.after, a.nack = next.At.Sub(e.At), simulate.Nack{Reason: no.Reason, Type: no.Type, Times: 1}
				break
			}
			if f.Confirmed {
				a.after = next.At.Sub(e.At)
				took = append(took, a.after)
				break
			}
		}
		if a.after < 0 && stands > patience {
			a.after = unanswered
		}
		out.by = append(out.by, a)
	}
	if len(took) > 0 {
		slices.Sort(took)
		out.usual = took[len(took)/2]
	}
	return out
}

// to is how the fleets answer r: as they answered the same weights, or as usual.
func (a *answers) to(r rollout.Routing) (time.Duration, simulate.Nack) {
	for i := range a.by {
		one := &a.by[i]
		if one.used || one.weights != r.Weights {
			continue
		}
		one.used = true
		if one.after < 0 {
			break
		}
		return one.after, one.nack
	}
	return a.usual, simulate.Nack{}
}
