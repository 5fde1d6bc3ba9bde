package rollout

import (
	"time"

	"greenlight/policy"
	"greenlight/rollout/judge"
)

// TrafficView is what people see of a model's lately reported requests.
type TrafficView struct {
	// Since and Until bound what is added up here; both zero when nothing was reported.
	Since time.Time
	Until time.Time
	// Users are users' requests, Shadow mirrored ones, and Preview those that
	// chose their color.
	Users   ByColor[Load]
	Shadow  ByColor[Load]
	Preview ByColor[Load]
	// Share is the share, 0 to 1, that each color really got of users' requests, of
	// those alone that were routed by the present weights, or where the report does
	// not tell by which; both 0 when there were none.
	Share ByColor[float64]
	// Late and Doubled count reports that were left out: of requests that ended
	// more than a minute before, and those that came a second time.
	Late    int
	Doubled int
}

// Load is what one color answered.
type Load struct {
	// Requests were reported, and Rate estimates how many there were a second:
	// only a sample may be reported.
	Requests int
	Rate     float64
	// Errors, Rejected and Gone are shares, 0 to 1, of the reported requests, as
	// Tally means them.
	Errors   float64
	Rejected float64
	Gone     float64
	// P50, P90 and P99 are quantiles of the latency in seconds; 0 without requests.
	P50 float64
	P90 float64
	P99 float64
}

// lately is the windows that rates are averaged over.
func (t Traffic) lately() []Window {
	for i, w := range t.Recent {
		if t.Ends().Sub(w.End) < rateOver {
			return t.Recent[i:]
		}
	}
	return nil
}

// View adds up what was lately reported; present are the weights that stand. It
// merges sketches: ask for it when somebody looks.
func (t Traffic) View(present Weights) TrafficView {
	windows := t.lately()
	if len(windows) == 0 {
		return TrafficView{}
	}
	out := TrafficView{Since: windows[0].Begin, Until: t.Ends()}
	seconds := 0.0
	var users, shadow, preview ByColor[loadSum]
	var routed ByColor[float64]
	for _, w := range windows {
		seconds += w.End.Sub(w.Begin).Seconds()
		out.Late += w.Late
		out.Doubled += w.Doubled
		for _, c := range policy.Colors {
			for _, r := range w.Users {
				users.At(c).add(r.Colors.Of(c))
				if r.Weights == present || r.Weights == (Weights{}) {
					*routed.At(c) += r.Colors.Of(c).Scaled
				}
			}
			shadow.At(c).add(w.Shadow.Of(c))
			preview.At(c).add(w.Preview.Of(c))
		}
	}
	for _, c := range policy.Colors {
		*out.Users.At(c) = users.At(c).load(seconds)
		*out.Shadow.At(c) = shadow.At(c).load(seconds)
		*out.Preview.At(c) = preview.At(c).load(seconds)
		if all := routed.Blue + routed.Green; all > 0 {
			*out.Share.At(c) = routed.Of(c) / all
		}
	}
	return out
}

// loadSum adds tallies up.
type loadSum struct {
	requests, errors, rejected, gone int
	scaled                           float64
	latency                          judge.Recorder
}

func (s *loadSum) add(t Tally) {
	s.requests += t.Requests
	s.errors += t.Errors
	s.rejected += t.Rejected
	s.gone += t.Gone
	s.scaled += t.Scaled
	s.latency.Merge(t.Latency)
}

func (s *loadSum) load(seconds float64) Load {
	if s.requests == 0 {
		return Load{}
	}
	share := func(n int) float64 { return float64(n) / float64(s.requests) }
	took := s.latency.Sketch()
	out := Load{
		Requests: s.requests, Errors: share(s.errors), Rejected: share(s.rejected), Gone: share(s.gone),
		P50: took.Quantile(0.5), P90: took.Quantile(0.9), P99: took.Quantile(0.99),
	}
	if seconds > 0 {
		out.Rate = s.scaled / seconds
	}
	return out
}
