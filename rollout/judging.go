package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
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

// limit is one absolute rule: at most Share of the requests may be bad, or slower than Over.
type limit struct {
	name  string
	share float64
	over  time.Duration // 0: failed ones are meant
	text  string
}

func limitsOf(j policy.Judge) []limit {
	var out []limit
	if j.Errors.Max != nil {
		out = append(out, limit{name: "errorRate", share: *j.Errors.Max, text: fmt.Sprintf("an error rate below %s", share100(*j.Errors.Max))})
	}
	for _, m := range j.Latency.Max {
		name := fmt.Sprintf("p%g", m.Quantile*100)
		out = append(out, limit{name: name, share: 1 - m.Quantile, over: m.Max, text: fmt.Sprintf("a %s below %s", name, calendar.PlainDuration(m.Max))})
	}
	return out
}

// bad is how many of a color's requests in one window break the limit's bound.
func (l limit) bad(t Tally, j policy.Judge) (bad, all int) {
	if l.over > 0 {
		return t.Latency.Above(l.over.Seconds()), t.Latency.Count()
	}
	return failed(t, j), t.Requests
}

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

// routed is users' requests of w that were routed by the present weights. A
// report that does not tell the weights counts from when they were published.
func (t *turn) routed(w Window) ByColor[Tally] {
	return usersOf(w, func(reported Weights) bool { return t.routedNow(reported, w) })
}

// routedBefore is users' requests of w that earlier steps of the switch routed: they took
// longer than their step. They are no matter of the present step's share and counts, but
// what is slow would never be judged if they were left out. Earlier steps sent fewer of
// their requests to the target, so that the slow ones among them don't speak against it.
func (t *turn) routedBefore(w Window) ByColor[Tally] {
	return usersOf(w, func(reported Weights) bool {
		return reported != t.s.Weights && slices.ContainsFunc(t.s.Switch.Transitions, func(tr Transition) bool {
			return tr.To == Confirming && tr.Weights == reported
		})
	})
}

// begun is a with the requests that must be under way, where share of all users' requests
// go there. In the first moments after a publish only what is quick has ended, failures
// above all, and that many of what has begun are no share that anybody meets.
func (t *turn) begun(a Tally, w Window, share policy.Weight) Tally {
	slowest := t.s.Judging.Record.Slowest()
	if a.Requests == 0 || !w.Begin.Before(t.s.Judging.Since.Add(slowest+t.s.Facts.Traffic.slowestReport())) {
		return a
	}
	all := usersOf(w, func(Weights) bool { return true })
	a.Requests = max(a.Requests, (all.Blue.Requests+all.Green.Requests)*int(share)/int(policy.Full))
	return a
}

// usersOf adds up users' requests of w that were routed by such weights.
func usersOf(w Window, by func(Weights) bool) ByColor[Tally] {
	var out ByColor[Tally]
	for _, r := range w.Users {
		if !by(r.Weights) {
			continue
		}
		for _, c := range policy.Colors {
			at := out.At(c)
			*at = at.Plus(r.Colors.Of(c))
		}
	}
	return out
}

// routedNow reports whether requests of w that were reported with these weights were
// routed by the present ones.
func (t *turn) routedNow(reported Weights, w Window) bool {
	untold := reported == Weights{}
	return reported == t.s.Weights || untold && !w.Begin.Before(t.s.Judging.Since)
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

// lookEvery is how often it is written down that users' traffic is looked at although no
// window comes.
const lookEvery = time.Minute

// looksAt is when that is due; zero while no clock runs by what is looked at.
func (s State) looksAt() time.Time {
	switch last := s.Judging.Last; {
	case last.IsZero():
		return time.Time{}
	case s.Phase == Shadowing, s.Phase == Holding, s.Phase == Baking:
		return last.Add(lookEvery)
	default:
		return time.Time{}
	}
}

// noteLooked keeps a restart from taking hours without a request for hours in which
// nobody looked.
func (t *turn) noteLooked() {
	if at := t.s.looksAt(); !at.IsZero() && t.due(at) {
		t.s.Judging.Last = t.now
	}
}

// unwatched is how long nobody looked at users' traffic before now.
func (t *turn) unwatched() time.Duration {
	if t.s.looksAt().IsZero() {
		return 0
	}
	return max(0, min(t.now.Sub(t.s.Judging.Last), t.now.Sub(t.s.Since)))
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

// steady reports whether as many requests of the present weights end in w as begin. Before
// that the color that takes longer seems to get less than its share: what is under way is
// not reported.
func (t *turn) steady(w Window) bool {
	longest := t.longestAnswer()
	return longest > 0 && !w.Begin.Before(t.s.Judging.Since.Add(longest+t.s.Facts.Traffic.slowestReport()))
}

// longestAnswer is how long users' requests may take. Where no timeout says it, it is twice
// what nearly all of the old color's took; 0 where that is not known either.
func (t *turn) longestAnswer() time.Duration {
	switch r := t.s.Judging.Record; {
	case t.p.Route.Timeout > 0 && t.plan().Route.Timeout > 0:
		return t.longestRequest()
	case r.Requests() < 100: // too few to say it
		return 0
	default:
		return 2 * r.Slowest()
	}
}

// sticky reports whether users stay on a color, by the route that stands or by the one that
// the switch began with.
func (t *turn) sticky() bool { return t.p.Route.Sticky.On() || t.plan().Route.Sticky.On() }

func (t *turn) lookAtLimits(target Tally) {
	rules := t.plan().Judge
	all := limitsOf(rules)
	j := &t.s.Judging
	next := make([]judge.Limit, len(all))
	copy(next, j.Limits)
	for i, l := range all {
		bad, n := l.bad(target, rules)
		next[i] = next[i].Look(bad, n, l.share)
	}
	if len(next) > 0 {
		j.Limits = next
	}
}

// named nodes and instances are bounded: a fleet may have ten thousand.
const maxWho = 1000

// noteWho adds up by node and by instance, for the names in a judgement.
func (t *turn) noteWho(w Window) {
	tr := &t.s.Facts.Traffic
	nodes := slices.Clone(tr.Shares)
	for _, n := range w.Nodes {
		if !t.routedNow(n.Weights, w) {
			continue
		}
		i := slices.IndexFunc(nodes, func(o NodeWindow) bool { return o.Fleet == n.Fleet && o.Node == n.Node })
		switch {
		case i >= 0:
			nodes[i].Requests.Blue += n.Requests.Blue
			nodes[i].Requests.Green += n.Requests.Green
		case len(nodes) < maxWho:
			nodes = append(nodes, n)
		}
	}
	tr.Shares = nodes
	instances := slices.Clone(tr.Instances)
	for _, e := range w.Endpoints {
		i := slices.IndexFunc(instances, func(o EndpointWindow) bool { return o.Color == e.Color && o.Address == e.Address })
		switch {
		case i >= 0:
			instances[i].Requests += e.Requests
			instances[i].Errors += e.Errors
		case len(instances) < maxWho:
			instances = append(instances, e)
		}
	}
	tr.Instances = instances
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

func (t *turn) limitBroken() string {
	j := t.s.Judging
	for i, l := range limitsOf(t.plan().Judge) {
		if i < len(j.Limits) && j.Limits[i].Broken(rarelyOff) {
			return fmt.Sprintf("%s breaks its limit of %s: %s of %s", t.s.Switch.To, l.text,
				share100(j.Limits[i].Rate()), l.counted(j.Limits[i].Requests()))
		}
	}
	return ""
}

// counted is "1200 requests failed" or "1200 requests took longer than 300ms".
func (l limit) counted(n int) string {
	if l.over > 0 {
		return count(n, "request") + " took longer than " + calendar.PlainDuration(l.over)
	}
	return count(n, "request") + " failed"
}

// astray says that the new color's share is not its weight, and whose fault it seems.
func (t *turn) astray() string {
	j := t.s.Judging
	if t.s.Phase != Holding && t.s.Phase != Held || !j.Share.Off(rarelyOff) {
		return ""
	}
	return fmt.Sprintf("%s gets %s of the traffic, not %s, by %s%s", t.s.Switch.To, share100(j.Share.Observed()),
		percent(t.s.Weights.Of(t.s.Switch.To)), count(j.Share.Requests(), "request"), t.strayNodes())
}

// strayNodes names the nodes that stray most from the weights.
func (t *turn) strayNodes() string {
	to := t.s.Switch.To
	weight := float64(t.s.Weights.Of(to)) / float64(policy.Full)
	type stray struct {
		ref   NodeRef
		score float64
	}
	var all []stray
	for _, n := range t.s.Facts.Traffic.Shares {
		got, sent := n.Requests.Of(to), n.Requests.Blue+n.Requests.Green
		if sent == 0 {
			continue
		}
		miss := float64(got) - weight*float64(sent)
		all = append(all, stray{
			ref:   NodeRef{Fleet: n.Fleet, Node: n.Node, Detail: fmt.Sprintf("sent %s there", share100(float64(got)/float64(sent)))},
			score: miss * miss / (float64(sent)*weight*(1-weight) + 1),
		})
	}
	slices.SortStableFunc(all, func(a, b stray) int { return cmp.Compare(b.score, a.score) })
	var nodes []NodeRef
	for _, s := range all {
		if s.score > 9 || len(nodes) == 0 { // three standard deviations, or the worst
			nodes = append(nodes, s.ref)
		}
	}
	return names(nodes)
}
