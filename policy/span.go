package policy

import "math"

// span is all numbers from lo to hi. Arithmetic on spans gives every number that
// the same arithmetic on their members can give, and perhaps more: rounding keeps
// order, so the ends bound what lies between them.
type span struct{ lo, hi float64 }

func point(v float64) span { return span{v, v} }

// hull is the span of the given ends; everything if one of them is no number.
func hull(ends ...float64) span {
	s := span{math.Inf(1), math.Inf(-1)}
	for _, v := range ends {
		if math.IsNaN(v) {
			return anyNumber
		}
		s.lo, s.hi = min(s.lo, v), max(s.hi, v)
	}
	return s
}

func (s span) plus(o span) span  { return hull(s.lo+o.lo, s.hi+o.hi) }
func (s span) minus(o span) span { return hull(s.lo-o.hi, s.hi-o.lo) }
func (s span) negated() span     { return span{-s.hi, -s.lo} }

func (s span) times(o span) span {
	return hull(s.lo*o.lo, s.lo*o.hi, s.hi*o.lo, s.hi*o.hi)
}

func (s span) over(o span) span {
	if o.lo <= 0 && o.hi >= 0 {
		return anyNumber
	}
	return hull(s.lo/o.lo, s.lo/o.hi, s.hi/o.lo, s.hi/o.hi)
}

func (s span) abs() span {
	if s.lo <= 0 && s.hi >= 0 {
		return span{0, max(-s.lo, s.hi)}
	}
	return hull(math.Abs(s.lo), math.Abs(s.hi))
}

// below, atMost and equal are what a comparison with o can give.
func (s span) below(o span) results  { return results{yes: s.lo < o.hi, no: s.hi >= o.lo} }
func (s span) atMost(o span) results { return results{yes: s.lo <= o.hi, no: s.hi > o.lo} }
func (s span) equal(o span) results {
	return results{yes: s.lo <= o.hi && o.lo <= s.hi, no: s.lo != s.hi || o.lo != o.hi || s.lo != o.lo}
}

// cells divides s at the cuts, which are sorted: into the cuts themselves and what
// lies between them. Within a cell every comparison with a cut gives the same.
func (s span) cells(cuts []float64) []span {
	var out []span
	from := s.lo
	for _, c := range cuts {
		if c < s.lo || c > s.hi {
			continue
		}
		if from < c {
			out = append(out, span{from, math.Nextafter(c, math.Inf(-1))})
		}
		out = append(out, point(c))
		from = math.Nextafter(c, math.Inf(1))
	}
	if from <= s.hi {
		out = append(out, span{from, s.hi})
	}
	return out
}

// results is which truth values something can have.
type results struct{ yes, no bool }

func (r results) not() results            { return results{r.no, r.yes} }
func (r results) or(o results) results    { return results{r.yes || o.yes, r.no && o.no} }
func (r results) and(o results) results   { return results{r.yes && o.yes, r.no || o.no} }
func (r results) union(o results) results { return results{r.yes || o.yes, r.no || o.no} }
