package report

import (
	"html/template"
	"maps"
	"slices"
	"strconv"

	"greenlight/rollout"
)

// pageView is what page.tmpl shows.
type pageView struct {
	Model   string
	Overall badge  // of all checks
	Outcome *badge // of the switch; nil without one
	Judged  string // "green 2026-11-01, against blue 2026-10-01"
	Idle    string // heading of the judged color's columns
	Live    string
	Facts   []fact
	Stages  []stageView
	More    int // stages that are left out
}

// fact is a line of the summary.
type fact struct{ Name, Value string }

type stageView struct {
	Name   string
	Checks []checkView
	More   int // checks that are left out
}

type checkView struct {
	ID       string // unique on the page
	Stage    string
	Name     string
	Kind     string
	Result   badge
	LetPass  bool
	Summary  string
	Took, At string
	Measures []measureView
	Charts   []chartView
	Slices   []sliceView
	Cases    []rollout.Case
	Evidence []rollout.Evidence
	Notes    []string
	Figures  []fact
	Left     []string // what is left out, in words
}

type measureView struct {
	Name                string
	Idle, Live          string
	Difference, DiffInt string
	Ratio, RatioInt     string
	P                   string
	Rule                string
	Result              badge
	Why                 string
}

type sliceView struct {
	Column, Value string
	Rows          int
	Measures      []measureView
}

// chartView is a picture with the words that stand for it where it can't be seen.
type chartView struct {
	Title string
	SVG   template.HTML
}

func newPage(a rollout.Assessment) pageView {
	p := pageView{
		Model:   word(a.Model),
		Overall: badgeOf(overall(a)),
		Judged:  withVersion(a.Target.Idle, a.Target.IdleVersion),
		Idle:    duty(a.Target.Idle, "idle"),
		Live:    duty(a.Target.Live, "live"),
		Facts:   facts(a),
	}
	if a.Target.Live != "" {
		p.Judged += ", against " + withVersion(a.Target.Live, a.Target.LiveVersion)
	}
	if a.Switch != nil {
		b := outcomeBadge(a.Switch.Outcome)
		p.Outcome = &b
	}
	left := &room{left: maxSize}
	stages, more := head(a.Stages, maxStages)
	p.More = more
	for i, s := range stages {
		verdicts, more := head(s.Verdicts, maxVerdicts)
		view := stageView{Name: word(s.Name), More: more}
		for j, v := range verdicts {
			c := newCheck(v, "check-"+strconv.Itoa(i+1)+"-"+strconv.Itoa(j+1), a.Target, left)
			c.Stage = view.Name
			c.LetPass = v.Result == rollout.Inconclusive && letPass(a.Switch, s.Name, v.Check)
			view.Checks = append(view.Checks, c)
		}
		p.Stages = append(p.Stages, view)
	}
	return p
}

func facts(a rollout.Assessment) []fact {
	var out []fact
	add := func(name, value string) {
		if value != "" && value != none {
			out = append(out, fact{name, value})
		}
	}
	if sw := a.Switch; sw != nil {
		add("Switch", word(sw.ID))
		add("From", withVersion(string(sw.From), sw.FromVersion))
		add("To", withVersion(string(sw.To), sw.ToVersion))
		add("Cause", text(sw.Cause))
		add("Asked by", word(sw.Actor))
		add("Reason", text(sw.Reason))
		if sw.Forced {
			add("Validation", "skipped on request (forced)")
		}
		add("Started", moment(sw.Started))
		add("Ended", moment(sw.Ended))
	}
	add("Report of", moment(a.At))
	return out
}

func newCheck(v rollout.Verdict, id string, t rollout.Target, left *room) checkView {
	c := checkView{
		ID: id, Name: word(v.Check), Kind: word(v.Kind), Result: badgeOf(v.Result), Summary: text(v.Summary),
		Took: span(v.Took), At: moment(v.At),
	}
	if !left.take(sizeOf(v)) {
		c.Left = append(c.Left, "The tables and pictures of this check: the page would become too large.")
		return c
	}
	cutTo := func(what string, more int) {
		if more > 0 {
			c.Left = append(c.Left, strconv.Itoa(more)+" more "+what+".")
		}
	}
	var more int
	c.Measures, more = measures(v.Measures)
	cutTo("measures", more)
	c.Figures, more = figures(v.Figures)
	cutTo("figures", more)
	evidence, more := head(v.Evidence, maxEvidence)
	cutTo("pieces of evidence", more)
	for _, e := range evidence {
		c.Evidence = append(c.Evidence, rollout.Evidence{
			Endpoint: word(e.Endpoint), Case: word(e.Case), Expected: text(e.Expected), Got: text(e.Got),
		})
	}
	if v.Detail == nil {
		return c
	}
	slices, more := head(v.Detail.Slices, maxSlices)
	cutTo("slices", more)
	for _, s := range slices {
		ms, more := measures(s.Measures)
		cutTo("measures of slice "+word(s.Column+" = "+s.Value), more)
		c.Slices = append(c.Slices, sliceView{Column: word(s.Column), Value: word(s.Value), Rows: s.Rows, Measures: ms})
	}
	cases, more := head(v.Detail.Cases, maxCases)
	cutTo("disagreements", more)
	for _, s := range cases {
		c.Cases = append(c.Cases, rollout.Case{
			Where: word(s.Where), Input: text(s.Input), Expected: text(s.Expected), Idle: text(s.Idle), Live: text(s.Live),
		})
	}
	notes, more := head(v.Detail.Notes, maxNotes)
	cutTo("notes", more)
	for _, n := range notes {
		c.Notes = append(c.Notes, text(n))
	}
	c.addCharts(v.Detail.Charts, t, left)
	return c
}

func (c *checkView) addCharts(charts []rollout.Chart, t rollout.Target, left *room) {
	charts, missing := head(charts, maxCharts)
	for i, ch := range charts {
		svg, err := picture(ch, c.ID+"-chart-"+strconv.Itoa(i+1), t)
		if err != nil {
			c.Left = append(c.Left, "The picture “"+word(ch.Title)+"”: "+err.Error()+".")
			continue
		}
		if !left.take(len(svg)) {
			missing++
			continue
		}
		c.Charts = append(c.Charts, chartView{Title: word(ch.Title), SVG: svg})
	}
	if missing > 0 {
		c.Left = append(c.Left, strconv.Itoa(missing)+" more pictures.")
	}
}

func measures(list []rollout.Measure) ([]measureView, int) {
	list, more := head(list, rollout.MaxMeasures)
	var out []measureView
	for _, m := range list {
		out = append(out, measureView{
			Name: word(m.Name), Idle: optional(m.Idle, m.Unit), Live: optional(m.Live, m.Unit),
			Difference: estimate(m.Difference, m.Unit), DiffInt: interval(m.Difference, m.Unit),
			Ratio: estimate(m.Ratio, ""), RatioInt: interval(m.Ratio, ""),
			P: pValue(m.PValue), Rule: text(m.Rule), Result: badgeOf(m.Result), Why: text(m.Why),
		})
	}
	return out, more
}

func figures(all map[string]float64) ([]fact, int) {
	names, more := head(slices.Sorted(maps.Keys(all)), maxFigures)
	var out []fact
	for _, name := range names {
		out = append(out, fact{word(name), strconv.FormatFloat(all[name], 'g', -1, 64)})
	}
	return out, more
}

// duty names a color with what it was when the switch began: "green (idle)".
func duty(color, duty string) string {
	if color == "" {
		return duty
	}
	return word(color) + " (" + duty + ")"
}

func withVersion(color, version string) string {
	if version == "" {
		return word(color)
	}
	return word(color) + " " + word(version)
}
