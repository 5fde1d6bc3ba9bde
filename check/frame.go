package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"greenlight/check/shown"
	"greenlight/policy"
	"greenlight/rollout"
)

// What a verdict holds at most, whatever was found: it is journaled, sent and shown.
const (
	maxSummary = 2000 // runes
	maxNote    = 500  // runes
	maxInput   = 1000 // runes of a case's input
	maxFigures = 256
	maxNotes   = 32
	maxCases   = 20
	maxSlices  = 50
	maxCharts  = 32
	maxSeries  = 4
	maxPoints  = 512
	maxDetail  = 256 << 10 // bytes of a detail as JSON
)

// verdict frames a finding: what is too much is cut, and what JSON has no words
// for (NaN, infinities) is left out. The detail's notes say so. Check, kind,
// result and what the figures say stay as they were found.
func (f finding) verdict(c policy.Check) rollout.Verdict {
	fr := &frame{}
	v := rollout.Verdict{
		Check: c.Name, Kind: c.Kind(), Result: f.result,
		Summary:  shown.Shorten(f.summary, maxSummary),
		Figures:  fr.figures(f.figures),
		Measures: fr.measures(f.measures),
		Evidence: evidence(f.evidence),
	}
	v.Detail = fr.detail(f.detail)
	return v
}

// frame collects the notes of what was left out.
type frame struct{ notes []string }

func (fr *frame) note(format string, args ...any) {
	fr.notes = append(fr.notes, fmt.Sprintf(format, args...))
}

func (fr *frame) figures(all map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch {
		case !finite(all[name]):
			fr.note("%s is left out: it is %v", name, all[name])
		case len(out) == maxFigures:
			fr.note("%d of %d figures are left out", len(all)-maxFigures, len(all))
			return out
		default:
			out[name] = all[name]
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (fr *frame) measures(all []rollout.Measure) []rollout.Measure {
	if len(all) > rollout.MaxMeasures {
		fr.note("%d of %d measures are left out", len(all)-rollout.MaxMeasures, len(all))
		all = all[:rollout.MaxMeasures]
	}
	var out []rollout.Measure
	for _, m := range all {
		out = append(out, fr.measure(m))
	}
	return out
}

func (fr *frame) measure(m rollout.Measure) rollout.Measure {
	m.Name, m.Unit = shorten(m.Name), shorten(m.Unit)
	m.Rule, m.Why = shown.Shorten(m.Rule, maxNote), shown.Shorten(m.Why, maxNote)
	m.Idle = fr.number(m.Name+" of the judged color", m.Idle)
	m.Live = fr.number(m.Name+" of the other color", m.Live)
	m.PValue = fr.number("the p-value of "+m.Name, m.PValue)
	m.Difference = fr.interval("the difference of "+m.Name, m.Difference)
	m.Ratio = fr.interval("the ratio of "+m.Name, m.Ratio)
	return m
}

func (fr *frame) number(what string, n *float64) *float64 {
	if n != nil && !finite(*n) {
		fr.note("%s is left out: it is %v", what, *n)
		return nil
	}
	return n
}

func (fr *frame) interval(what string, i *rollout.Interval) *rollout.Interval {
	if i != nil && !(finite(i.Value) && finite(i.Low) && finite(i.High) && finite(i.Confidence)) {
		fr.note("%s is left out: it is %v (%v to %v)", what, i.Value, i.Low, i.High)
		return nil
	}
	return i
}

// detail is d within all bounds, with the notes; nil if there is nothing to show.
func (fr *frame) detail(d *rollout.Detail) *rollout.Detail {
	var out rollout.Detail
	if d != nil {
		for _, s := range d.Slices[:min(len(d.Slices), maxSlices)] {
			s.Column, s.Value, s.Measures = shorten(s.Column), shorten(s.Value), fr.measures(s.Measures)
			out.Slices = append(out.Slices, s)
		}
		for _, c := range d.Charts[:min(len(d.Charts), maxCharts)] {
			if c, ok := fr.chart(c); ok {
				out.Charts = append(out.Charts, c)
			}
		}
		for _, c := range d.Cases[:min(len(d.Cases), maxCases)] {
			c.Where, c.Input = shorten(c.Where), shown.Shorten(c.Input, maxInput)
			c.Expected, c.Idle, c.Live = shorten(c.Expected), shorten(c.Idle), shorten(c.Live)
			out.Cases = append(out.Cases, c)
		}
		fr.notes = slices.Concat(d.Notes, fr.notes)
	}
	for _, n := range fr.notes[:min(len(fr.notes), maxNotes)] {
		out.Notes = append(out.Notes, shown.Shorten(n, maxNote))
	}
	if len(out.Slices)+len(out.Charts)+len(out.Cases)+len(out.Notes) == 0 {
		return nil
	}
	return fit(&out)
}

// fit drops from a detail that is too large what says the least: the last
// charts, then the last slices, then cases.
func fit(d *rollout.Detail) *rollout.Detail {
	const tooLarge = "some of the detail is left out: it was too large to keep"
	left := maxDetail - jsonSize(append(slices.Clone(d.Notes), tooLarge)) - 256 // for the keys
	pieces := len(d.Cases) + len(d.Slices) + len(d.Charts)
	d.Cases = fitting(d.Cases, &left)
	d.Slices = fitting(d.Slices, &left)
	d.Charts = fitting(d.Charts, &left)
	if len(d.Cases)+len(d.Slices)+len(d.Charts) < pieces {
		d.Notes = append(d.Notes, tooLarge)
	}
	return d
}

// fitting is the first pieces that fit into what is left, which they use up.
func fitting[T any](all []T, left *int) []T {
	for i, piece := range all {
		size := jsonSize(piece) + len(",")
		if size > *left {
			return all[:i]
		}
		*left -= size
	}
	return all
}

// jsonSize is how many bytes v has as JSON. Every number in it is finite.
func jsonSize(v any) int {
	data, err := json.Marshal(v)
	if err != nil {
		return maxDetail + 1 // what can't be written is not kept
	}
	return len(data)
}

func evidence(all []rollout.Evidence) []rollout.Evidence {
	var out []rollout.Evidence
	for _, e := range all[:min(len(all), maxEvidence)] {
		out = append(out, rollout.Evidence{
			Endpoint: shorten(e.Endpoint), Case: shorten(e.Case), Expected: shorten(e.Expected), Got: shorten(e.Got),
		})
	}
	return out
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
