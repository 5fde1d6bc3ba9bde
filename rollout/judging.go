package rollout

import (
	"time"

	"greenlight/policy"
	"greenlight/rollout/judge"
)

// Judging is what is known of the running switch by its users' own traffic. It is
// journaled with every window, so that a restart goes on where it stood.
type Judging struct {
	// Since is when the present weights were published: the counts begin there.
	Since time.Time `json:"since,omitzero"`
	// Last is up to when users' traffic was looked at: the end of the last window, or later
	// where users ask for nothing. Zero before the first window.
	Last time.Time `json:"last,omitzero"`
	// Live and Idle are what the old and the new color answered since then.
	Live Answered `json:"live,omitzero"`
	Idle Answered `json:"idle,omitzero"`
	// Test compares them while both carry users, over all steps.
	Test judge.Test `json:"test,omitzero"`
	// Record is what the old color did while it carried users, and Alone compares
	// the new one with it once it carries all of them.
	Record judge.Record `json:"record,omitzero"`
	Alone  judge.Alone  `json:"alone,omitzero"`
	// Slowed compares the live color with what it did before it was mirrored.
	Slowed judge.Alone `json:"slowed,omitzero"`
	// Limits are the policy's absolute limits, in the order of limitsOf.
	Limits []judge.Limit `json:"limits,omitempty"`
	// Waived is why the present step may end although too little was seen of it.
	Waived string `json:"waived,omitempty"`
	// Share compares the share that the new color really gets with its weight.
	Share judge.Share `json:"share,omitzero"`
}

// Answered adds up what a color answered.
type Answered struct {
	Requests int     `json:"requests"`
	Errors   int     `json:"errors"`
	Scaled   float64 `json:"scaled"`
}

func (a *Answered) add(t Tally) {
	a.Requests += t.Requests
	a.Errors += t.Errors
	a.Scaled += t.Scaled
}

// riskShares: the steps, the bake and the shadow each have a part of the policy's
// risk, so that together they keep to it.
const (
	stepsShare  = 0.5
	bakeShare   = 0.3
	shadowShare = 0.2
	rarelyOff   = 1e-4 // the chance that right weights are called wrong, or a kept limit broken
)

// failed counts what the policy calls an error.
func failed(t Tally, j policy.Judge) int {
	if j.Errors.ClientErrors {
		return t.Errors + t.Rejected
	}
	return t.Errors
}

// sample is a tally as the comparison sees it: there, a client that gave up counts too.
func sample(t Tally, j policy.Judge) judge.Sample {
	return judge.Sample{Requests: t.Requests, Bad: failed(t, j) + t.Gone, Latency: t.Latency}
}

// judgeConfig is the policy's rules for one of the comparisons. A switch that began
// before there were such rules has none of them: it is not compared.
func judgeConfig(j policy.Judge, share float64) judge.Config {
	known := j.Risk > 0
	return judge.Config{
		Risk:   j.Risk * share,
		Errors: known && !j.Errors.RelativeOff, ErrorTolerance: max(1, j.Errors.Tolerate),
		Latency: known && !j.Latency.RelativeOff, LatencyTolerance: max(1, j.Latency.Tolerate),
	}
}

// measured takes in what the fleets report of users, window by window.
func (t *turn) measured(m Measured) {
	for _, w := range m.Windows {
		if !t.s.Facts.Traffic.Ends().Before(w.End) { // told already
			continue
		}
		t.s.Facts.Traffic = t.s.Facts.Traffic.with(w)
		t.noteCarried()
		t.noteBusiest()
		switch {
		case t.s.Phase == Shadowing:
			t.lookAtShadow(w)
		case t.exposed():
			t.lookAtUsers(w)
		}
		if t.s.Live != "" && t.s.Weights == AllOn(t.s.Live) && t.s.Phase != Shadowing {
			t.keepRecord(w)
		}
	}
}

// keepRecord remembers how the live color does while it is alone.
func (t *turn) keepRecord(w Window) {
	r := t.s.Facts.Traffic.Records.At(t.s.Live)
	*r = r.Add(sample(t.routed(w).Of(t.s.Live), t.p.Judge))
}

// becomeLive makes c the live color. What it did when it was live before was another
// version's.
func (t *turn) becomeLive(c policy.Color) {
	t.s.Live = c
	*t.s.Facts.Traffic.Records.At(c) = judge.Record{}
}

// takeRecord makes what the old color did up to now what the new one is compared with. A
// switch may have waited long since it began, and a record grows old.
func (t *turn) takeRecord() {
	if !t.moved() {
		t.s.Judging.Record = t.s.Facts.Traffic.Records.Of(t.s.Switch.From)
	}
}

// watchUsersAnew begins the counts of new weights. The comparison of the steps goes on.
func (t *turn) watchUsersAnew() {
	j := &t.s.Judging
	j.Since, j.Live, j.Idle, j.Share, j.Waived = t.now, Answered{}, Answered{}, judge.Share{}, ""
	if !t.moved() { // copies were judged; users are another matter
		j.Test, j.Limits, j.Slowed = judge.Test{}, nil, judge.Alone{}
	}
	t.s.Facts.Traffic.Shares, t.s.Facts.Traffic.Instances = nil, nil
	if t.s.Weights == AllOn(t.s.Switch.To) {
		j.Alone = judge.NewAlone(j.Record)
	}
}

// forgive begins every comparison anew: a person has decided that what was seen
// is no reason to stop.
func (t *turn) forgive() {
	j := &t.s.Judging
	t.s.Judging = Judging{Since: t.now, Last: j.Last, Live: j.Live, Idle: j.Idle, Record: j.Record, Alone: judge.NewAlone(j.Record)}
}

// lookAtUsers judges one window in which users may meet the target.
func (t *turn) lookAtUsers(w Window) {
	sw, rules := t.s.Switch, t.plan().Judge
	if rules.Off {
		return
	}
	j := &t.s.Judging
	j.Last = w.End
	colors := t.routed(w)
	live, idle := colors.Of(sw.From), colors.Of(sw.To)
	j.Live.add(live)
	j.Idle.add(idle)
	if t.s.Weights != AllOn(sw.To) && !t.sticky() && t.steady(w) {
		weight := float64(t.s.Weights.Of(sw.To)) / float64(policy.Full)
		j.Share = j.Share.Look(idle.Requests, idle.Requests+live.Requests, weight)
	}
	slow := t.routedBefore(w)
	live, idle = live.Plus(slow.Of(sw.From)), idle.Plus(slow.Of(sw.To))
	did := sample(live, rules) // a record has time: what is under way comes to it when it ends
	live, idle = t.begun(live, w, t.s.Weights.Of(sw.From)), t.begun(idle, w, t.s.Weights.Of(sw.To))
	if t.s.Weights == AllOn(sw.To) {
		j.Alone = j.Alone.Look(judgeConfig(rules, bakeShare), sample(idle, rules))
	} else {
		j.Test = j.Test.Look(judgeConfig(rules, stepsShare), sample(live, rules), sample(idle, rules))
		j.Record = j.Record.Add(did)
	}
	t.lookAtLimits(idle)
	t.noteWho(w)
}

// finding is the comparison that stands: of both colors, or of the new one alone.
func (t *turn) finding() judge.Finding {
	rules := t.plan().Judge
	if t.s.Weights == AllOn(t.s.Switch.To) {
		return t.s.Judging.Alone.Finding(judgeConfig(rules, bakeShare))
	}
	return t.s.Judging.Test.Finding(judgeConfig(rules, stepsShare))
}

// weighUsers acts on what users met: it goes back from what is worse, and stops
// where traffic does not follow the weights.
func (t *turn) weighUsers() {
	if !t.exposed() || t.plan().Judge.Off {
		return
	}
	cause := t.worse()
	off := ""
	if cause == "" {
		off = t.astray()
	}
	switch {
	case cause == "" && off == "":
	case t.s.Phase == Held && (t.s.Back != "" || off != ""): // said already
	case t.s.Phase == Held && !t.plan().Rollback.Automatic:
	case cause != "":
		t.keepJudgement(Fail, cause)
		t.stop("users' traffic: " + cause)
	default:
		t.keepJudgement(Fail, off)
		t.hold("users' traffic: " + off)
	}
}

// worse says by what rule the target does its users worse; empty if by none.
func (t *turn) worse() string {
	if f := t.finding(); f.Worse {
		return t.compared(f) + t.worstInstance()
	}
	return t.limitBroken() + t.worstInstanceIf(t.limitBroken() != "")
}
