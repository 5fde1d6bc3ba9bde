package judge

import "math"

// memory is after how many windows a Record begins a new half; it holds the
// current half and the one before, so the last 5 to 10 minutes of windows.
const memory = 300

// Record is what one color did over a time without a rival. The zero value is empty.
type Record struct {
	Halves [2]half `json:"halves"` // the current one first
}

type half struct {
	Windows int    `json:"windows,omitempty"`
	Counts  counts `json:"counts"`
	Latency Sketch `json:"latency,omitzero"`
}

// Add is r with one more window; an empty one changes nothing.
func (r Record) Add(s Sample) Record {
	if s.Requests <= 0 {
		return r
	}
	if r.Halves[0].Windows >= memory {
		r.Halves[1], r.Halves[0] = r.Halves[0], half{}
	}
	h := &r.Halves[0]
	h.Windows++
	h.Counts = h.Counts.plus(s)
	h.Latency = Merge(h.Latency, s.Latency)
	return r
}

// Requests is how many r remembers.
func (r Record) Requests() int { return r.Halves[0].Counts.Requests + r.Halves[1].Counts.Requests }

// What a comparison with the past tolerates beyond the policy, as time has passed
// and traffic changed: odds of failing half as high again, latencies a quarter
// longer, and a spread of 4 until it was measured.
const (
	laterErrors  = 1.5
	laterLatency = 1.25
	laterPrior   = 4
	// fewest is how many requests a record must hold to be compared with.
	fewest = 100
)

// Alone compares a color with a Record from before. Time has passed between the
// two, so it tolerates more than a Test (laterErrors, laterLatency): incidents
// that would hit both colors can't be told from a worse one, and are only tempered.
type Alone struct {
	Past     counts                  `json:"past"`
	Slow     int                     `json:"slow,omitempty"` // past requests with a latency
	At       [len(quantiles)]float64 `json:"at"`             // their quantiles, seconds
	Now      counts                  `json:"now"`
	Latency  tracker                 `json:"latency"`
	Evidence evidences               `json:"evidence"`
}

// NewAlone compares with r.
func NewAlone(r Record) Alone {
	all := Merge(r.Halves[0].Latency, r.Halves[1].Latency)
	a := Alone{Slow: all.Count()}
	for _, h := range r.Halves {
		a.Past.Requests += h.Counts.Requests
		a.Past.Bad += h.Counts.Bad
	}
	for i, q := range quantiles {
		a.At[i] = all.Quantile(q)
	}
	return a
}

// atMost is a cautious estimate of a share from a record: twice the standard
// error, of requests that fail in pairs, above what was seen.
func atMost(hit, all float64) float64 {
	return min((hit+1+2*math.Sqrt(2*(hit+1)))/(all+2), 0.999)
}

// Look is a after one more window of the color.
func (a Alone) Look(c Config, s Sample) Alone {
	if s.Requests <= 0 {
		return a
	}
	a.Now = a.Now.plus(s)
	if a.Past.Requests >= fewest {
		p := atMost(float64(a.Past.Bad), float64(a.Past.Requests))
		odds := p / (1 - p) * max(c.ErrorTolerance, 1) * laterErrors
		a.Evidence.Errors = against(a.Evidence.Errors, min(s.Bad, s.Requests), s.Requests, odds/(1+odds), laterPrior)
	}
	if n := s.Latency.Count(); n > 0 && a.Slow >= fewest {
		tolerated := max(c.LatencyTolerance, 1) * laterLatency
		for i, q := range quantiles {
			p := atMost((1-q)*float64(a.Slow), float64(a.Slow))
			a.Evidence.Latency[i] = against(a.Evidence.Latency[i], s.Latency.Above(a.At[i]*tolerated), n, p, laterPrior)
		}
	}
	a.Latency = a.Latency.follow(s.Latency)
	return a
}

// Finding is what a says by the rules c; live is the record.
func (a Alone) Finding(c Config) Finding {
	f, i := a.Evidence.finding(c)
	f.LiveRequests, f.IdleRequests = a.Past.Requests, a.Now.Requests
	f.LiveErrors, f.IdleErrors = a.Past.rate(), a.Now.rate()
	if c.Latency && a.Slow > 0 && a.Latency.Seen > 0 {
		f.Quantile, f.LiveLatency, f.IdleLatency = quantiles[i], a.At[i], a.Latency.At[i]
	}
	return f
}
