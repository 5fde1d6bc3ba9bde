package judge

import "math"

// limitPrior is the spread assumed of requests against an absolute limit before it was measured.
const limitPrior = 1.5

// Limit tests whether the share of requests that are bad, or slower than a
// limit, is above a maximum beyond chance, looked at any number of times. For
// p99 < 300 ms it is the share above 300 ms against 1 %.
type Limit struct {
	Seen     counts  `json:"seen"`
	Evidence process `json:"evidence"`
}

// Look is l after one more window, with the most that the share may be, 0 to 1.
func (l Limit) Look(bad, all int, most float64) Limit {
	if all <= 0 {
		return l
	}
	bad = min(max(bad, 0), all)
	l.Seen = counts{l.Seen.Requests + all, l.Seen.Bad + bad}
	l.Evidence = against(l.Evidence, bad, all, most, boldly(limitPrior, mostOfALook, most/(1-min(most, 0.999))))
	return l
}

// Broken reports whether the share is above the maximum, with a probability of
// at most risk that it says so of one that isn't.
func (l Limit) Broken(risk float64) bool {
	return l.Seen.Requests > 0 && l.Evidence.evidence() >= -math.Log(risk)
}

// Rate is the share seen, 0 to 1.
func (l Limit) Rate() float64 { return l.Seen.rate() }

// Requests is how many were seen.
func (l Limit) Requests() int { return l.Seen.Requests }

// shares are the odds ratios to the intended share that Share bets on, and their inverses.
var shares = [...]float64{1.03, 1.1, 1.25, 1.6, 2.5, 10}

// Share tests whether the share that a color gets is the intended one, looked at
// any number of times, in both directions: a mixture of likelihood ratios of
// odds (Robbins 1970; Johari et al., Operations Research 2022). Requests must be
// routed independently of each other, which those of one user on a sticky split are not.
type Share struct {
	Got  int                  `json:"got,omitempty"`
	All  int                  `json:"all,omitempty"`
	More [len(shares)]float64 `json:"more"` // logarithms of the likelihood ratios
	Less [len(shares)]float64 `json:"less"`
}

// Look is s after a window in which the color got so many of all requests.
func (s Share) Look(got, all int, intended float64) Share {
	if all <= 0 {
		return s
	}
	got = min(max(got, 0), all)
	s.Got, s.All = s.Got+got, s.All+all
	p := min(max(intended, 1e-6), 1-1e-6)
	odds := p / (1 - p)
	bound := func(l float64) float64 { return min(max(l, -largestLog), largestLog) }
	for i, r := range shares {
		more, less := odds*r, odds/r
		s.More[i] = bound(s.More[i] + binomial(float64(got), float64(all), p, more/(1+more)))
		s.Less[i] = bound(s.Less[i] + binomial(float64(got), float64(all), p, less/(1+less)))
	}
	return s
}

// Off reports whether the share is another than intended, with a probability of
// at most risk that it says so of the intended one.
func (s Share) Off(risk float64) bool {
	sum := math.Inf(-1)
	for i := range shares {
		sum = logAdd(sum, logAdd(s.More[i], s.Less[i]))
	}
	return sum-math.Log(2*float64(len(shares))) >= -math.Log(risk)
}

// Observed is the share seen, 0 to 1.
func (s Share) Observed() float64 { return float64(s.Got) / float64(max(s.All, 1)) }

// Requests is how many were seen of both colors.
func (s Share) Requests() int { return s.All }
