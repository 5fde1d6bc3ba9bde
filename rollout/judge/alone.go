package judge

import (
	"math"
	"time"
)

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
	// Squares is the sum of bad²/requests over windows, and Logs and LogSquares are
	// those of the logarithms of a window's quantiles, for how much windows differ.
	Squares    float64                 `json:"squares,omitempty"`
	Timed      int                     `json:"timed,omitempty"` // windows with latencies
	Logs       [len(quantiles)]float64 `json:"logs"`
	LogSquares [len(quantiles)]float64 `json:"logSquares"`
}

// plus is what both halves hold together.
func (h half) plus(o half) half {
	h.Windows += o.Windows
	h.Counts.Requests += o.Counts.Requests
	h.Counts.Bad += o.Counts.Bad
	h.Latency = Merge(h.Latency, o.Latency)
	h.Squares += o.Squares
	h.Timed += o.Timed
	for i := range quantiles {
		h.Logs[i] += o.Logs[i]
		h.LogSquares[i] += o.LogSquares[i]
	}
	return h
}

// drift is the standard deviation of the share of bad requests from window to
// window, without what chance alone adds.
func (h half) drift() float64 {
	n, p := float64(h.Counts.Requests), h.Counts.rate()
	return math.Sqrt(max(h.Squares/n-p*p-p*(1-p)*float64(h.Windows)/n, 0))
}

// swing is the standard deviation of the logarithm of the windows' i-th quantile.
func (h half) swing(i int) float64 {
	n := float64(max(h.Timed, 1))
	mean := h.Logs[i] / n
	return math.Sqrt(max(h.LogSquares[i]/n-mean*mean, 0))
}

// Add is r with one more window; an empty one changes nothing.
func (r Record) Add(s Sample) Record {
	if s.Requests <= 0 {
		return r
	}
	s = s.sound()
	if r.Halves[0].Windows >= memory {
		r.Halves[1], r.Halves[0] = r.Halves[0], half{}
	}
	h := &r.Halves[0]
	h.Windows++
	h.Counts = h.Counts.plus(s)
	h.Latency = Merge(h.Latency, s.Latency)
	h.Squares += float64(s.Bad) * float64(s.Bad) / float64(s.Requests)
	if s.Latency.Count() > 0 {
		h.Timed++
		for i, q := range quantiles {
			l := math.Log(max(s.Latency.Quantile(q), shortest))
			h.Logs[i] += l
			h.LogSquares[i] += l * l
		}
	}
	return r
}

// Requests is how many r remembers.
func (r Record) Requests() int { return r.Halves[0].Counts.Requests + r.Halves[1].Counts.Requests }

// Thin reports whether r remembers too few to compare with.
func (r Record) Thin() bool { return r.Requests() < fewest }

// Slowest is within what time nearly all that r remembers were answered.
func (r Record) Slowest() time.Duration {
	return time.Duration(Merge(r.Halves[0].Latency, r.Halves[1].Latency).Quantile(0.999) * float64(time.Second))
}

// What a comparison with the past tolerates beyond the policy, as time has passed
// and traffic changed: odds of failing half as high again, latencies a quarter
// longer, a spread of 4 until it was measured, and as many standard deviations of
// the record's windows as swings says.
const (
	laterErrors  = 1.5
	laterLatency = 1.25
	laterPrior   = 4
	swings       = 2.5
	// A latency is not tolerated above mostSwing times the record's, as a pause in one of
	// a few windows would else excuse anything.
	mostSwing = 10
	// A look adds at most mostOfALater to the logarithm of the evidence, so that an
	// incident of 20 s, which may well not be the color's, does not decide; an outage,
	// in which so large a share of the requests fails, decides at once.
	mostOfALater = 0.2
	// fewest is how many requests a record must hold to be compared with.
	fewest = 100
	// unknown is the share of bad requests that a record of fewer allows: what users
	// were served by did not fail every second of their requests.
	unknown = 0.5
)

// Alone compares a color with a Record from before. Time has passed between the
// two, so it tolerates more than a Test (laterErrors,
// laterLatency, and more where the record's own windows differ): incidents
// that would hit both colors can't be told from a worse one, and are only tempered.
type Alone struct {
	Past     counts                  `json:"past"`
	Slow     int                     `json:"slow,omitempty"` // past requests with a latency
	At       [len(quantiles)]float64 `json:"at"`             // their quantiles, seconds
	Most     float64                 `json:"most,omitempty"` // the share of bad ones that the record allows
	Limit    [len(quantiles)]float64 `json:"limit"`          // the quantiles that it allows
	Now      counts                  `json:"now"`
	Latency  tracker                 `json:"latency"`
	Evidence evidences               `json:"evidence"`
}

// NewAlone compares with r.
func NewAlone(r Record) Alone {
	all := r.Halves[0].plus(r.Halves[1])
	a := Alone{Past: all.Counts, Slow: all.Latency.Count()}
	if all.Counts.Requests > 0 {
		a.Most = atMost(float64(all.Counts.Bad), float64(all.Counts.Requests), swings*all.drift())
	}
	for i, q := range quantiles {
		a.At[i] = all.Latency.Quantile(q)
		a.Limit[i] = a.At[i] * min(math.Exp(swings*all.swing(i)), mostSwing)
	}
	return a
}

// Blind reports whether the record holds too little to compare failures with: then
// nothing but an outage is found.
func (a Alone) Blind() bool { return a.Past.Requests < fewest }

// atMost is a cautious estimate of a share from a record: twice the standard
// error, of requests that fail in pairs, above what was seen, and more as it drifts.
func atMost(hit, all, more float64) float64 {
	return min((hit+1+2*math.Sqrt(2*(hit+1)))/(all+2)+more, 0.999)
}

// Look is a after one more window of the color.
func (a Alone) Look(c Config, s Sample) Alone {
	if s.Requests <= 0 {
		return a
	}
	s = s.sound()
	a.Now = a.Now.plus(s)
	most := a.Most
	if a.Blind() {
		most = unknown
	}
	odds := most / (1 - most) * max(c.ErrorTolerance, 1) * laterErrors
	a.Evidence.Errors = against(a.Evidence.Errors, s.Bad, s.Requests, odds/(1+odds), boldly(laterPrior, mostOfALater, odds))
	if n := s.Latency.Count(); n > 0 && a.Slow >= fewest {
		tolerated := max(c.LatencyTolerance, 1) * laterLatency
		for i, q := range quantiles {
			p := atMost((1-q)*float64(a.Slow), float64(a.Slow), 0)
			a.Evidence.Latency[i] = against(a.Evidence.Latency[i], s.Latency.Above(a.Limit[i]*tolerated), n, p, boldly(laterPrior, mostOfALater, 0))
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
