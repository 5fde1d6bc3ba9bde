package cli

import (
	"fmt"
	"io"
	"strings"

	"greenlight/api/adminv1"
)

// block writes "label   text" lines; a label is said once for the lines it heads.
type block struct {
	w    io.Writer
	last string
}

func (b *block) line(label, format string, args ...any) {
	shown := label
	if label == b.last {
		shown = ""
	}
	b.last = label
	fmt.Fprintf(b.w, "%-10s  %s\n", shown, clean(fmt.Sprintf(format, args...)))
}

// statusBlock shows one model in full.
func (a *app) statusBlock(w io.Writer, m *adminv1.ModelStatus) error {
	b := &block{w: w}
	a.headLines(b, m)
	a.policyLines(b, m)
	a.endpointLines(b, m)
	a.switchLines(b, m)
	a.trafficLines(b, m)
	a.checkLines(b, m)
	a.nodeLines(b, m)
	return nil
}

func (a *app) headLines(b *block, m *adminv1.ModelStatus) {
	st := m.GetState()
	b.line("model", "%s", m.GetModel())
	switch {
	case st.GetLive() != adminv1.Color_COLOR_UNSPECIFIED:
		b.line("live", "%s", withVersion(colorWord(st.GetLive()), versionsOf(m.GetEndpoints(), st.GetLive())))
	case st.GetEndpointsKnown():
		b.line("live", "none yet: no color has endpoints")
	default:
		b.line("live", "none yet: the registry has not answered")
	}
	phase := phaseWord(st.GetPhase())
	if st.GetSince() != nil {
		phase += " for " + a.age(st.GetSince())
	}
	b.line("phase", "%s%s", phase, a.nextWords(st))
	if st.GetResume() != adminv1.Phase_PHASE_UNSPECIFIED {
		b.line("phase", "paused in %s, which had %s left", phaseWord(st.GetResume()), span(st.GetLeft().AsDuration()))
	}
	b.line("weights", "%s", weightWords(st.GetWeights()))
	if text := mirrorWords(st.GetMirror()); text != "" {
		b.line("mirror", "%s", text)
	}
	if st.GetProblem() != "" {
		b.line("problem", "%s", st.GetProblem())
	}
	if why := st.GetQueued().GetWhy(); why != "" {
		b.line("waits", "%s", why)
	}
	if m.GetDrift() != "" {
		b.line("drift", "%s", m.GetDrift())
	}
}

// nextWords says when something happens by itself.
func (a *app) nextWords(st *adminv1.State) string {
	var out strings.Builder
	if st.GetDeadline() != nil {
		fmt.Fprintf(&out, ", until %s (%s left)", clock(st.GetDeadline()), a.left(st.GetDeadline()))
	}
	if st.GetHoldUntil() != nil {
		fmt.Fprintf(&out, ", held on for users' traffic until %s (%s left)", clock(st.GetHoldUntil()), a.left(st.GetHoldUntil()))
	}
	if st.GetNextCheck() != nil {
		fmt.Fprintf(&out, ", checks again in %s", a.left(st.GetNextCheck()))
	}
	return out.String()
}

func weightWords(w *adminv1.Weights) string {
	return fmt.Sprintf("blue %s%%, green %s%%", percentWord(w.GetBluePercent()), percentWord(w.GetGreenPercent()))
}

func withVersion(color, version string) string {
	if version == "" {
		return color
	}
	return color + " " + version
}

func (a *app) policyLines(b *block, m *adminv1.ModelStatus) {
	if src := m.GetPolicy().GetSource(); src != nil {
		b.line("policy", "%s", sourceWords(src))
	}
	if m.GetPolicyProblem() != "" {
		since := ""
		if m.GetPolicySince() != nil {
			since = fmt.Sprintf("the file is not in force for %s: ", a.age(m.GetPolicySince()))
		}
		b.line("policy", "%s%s", since, m.GetPolicyProblem())
	}
}

func (a *app) endpointLines(b *block, m *adminv1.ModelStatus) {
	if !m.GetState().GetEndpointsKnown() {
		b.line("endpoints", "unknown: the registry has not answered; the server's log says why")
		return
	}
	set := m.GetEndpoints()
	for _, c := range []adminv1.Color{adminv1.Color_COLOR_BLUE, adminv1.Color_COLOR_GREEN} {
		text := fmt.Sprintf("%-5s %d ready", colorWord(c), len(endpointsOf(set, c)))
		if n := countOf(set.GetUnready(), c); n > 0 {
			text += fmt.Sprintf(", %d not ready", n)
		}
		if v := versionsOf(set, c); v != "" {
			text += ", version " + v
		}
		b.line("endpoints", "%s", text)
	}
	if set.GetProblem() != "" {
		b.line("endpoints", "as of %s ago: %s", a.age(set.GetSince()), set.GetProblem())
	}
}

func (a *app) switchLines(b *block, m *adminv1.ModelStatus) {
	sw := m.GetState().GetSwitch()
	if sw == nil {
		b.line("switch", "there was none yet")
		return
	}
	b.line("switch", "%s: %s to %s, %s, started %s ago by %s%s", sw.GetId(),
		withVersion(colorWord(sw.GetFrom()), sw.GetFromVersion()), withVersion(colorWord(sw.GetTo()), sw.GetToVersion()),
		outcomeWord(sw.GetOutcome()), a.age(sw.GetStarted()), sw.GetActor(), forcedWord(sw))
	if sw.GetReason() != "" {
		b.line("switch", "because: %s", sw.GetReason())
	}
	if sw.GetCause() != "" {
		b.line("switch", "%s", sw.GetCause())
	}
	if steps := sw.GetPlan().GetShift(); sw.GetOutcome() == adminv1.Outcome_OUTCOME_UNSPECIFIED && len(steps) > 1 {
		b.line("switch", "step %d of %d", m.GetState().GetStepIndex()+1, len(steps))
	}
	if sw.GetUndoes() != "" {
		b.line("switch", "goes back to before switch %s", sw.GetUndoes())
	}
	if r := m.GetState().GetRolled(); r != nil && sw.GetPlan().GetRolling() != nil {
		b.line("rolling", "%s", rolledWords(r, colorWord(sw.GetFrom())))
	}
	for _, ap := range sw.GetApprovals() {
		b.line("approved", "%s by %s, %s ago%s", approvedWord(ap.GetBefore()), ap.GetBy(), a.age(ap.GetAt()), becauseWord(ap.GetReason()))
	}
	if text := a.twiceWords(sw.GetTwice(), sw.GetPlan().GetCost().GetInstanceHour()); text != "" {
		b.line("twice", "%s for this switch", text)
	}
	if text := a.twiceWords(m.GetTwice(), m.GetPolicy().GetCost().GetInstanceHour()); text != "" {
		b.line("twice", "%s in all; %s not live now", text, plural(m.GetTwice().GetInstances(), "instance"))
	}
	for _, d := range sw.GetDrills()[max(0, len(sw.GetDrills())-1):] {
		b.line("drill", "%s ago by %s: %s", a.age(d.GetBegan()), d.GetActor(), drillWords(d))
	}
}

// rolledWords is "2 of 4 instances of blue were let go, 1 on its way".
func rolledWords(r *adminv1.Rolled, color string) string {
	gone, going := 0, 0
	for _, b := range r.GetBatches() {
		if b.GetGone() != nil {
			gone += len(b.GetInstances())
		} else {
			going += len(b.GetInstances())
		}
	}
	out := fmt.Sprintf("%d of %s of %s were let go", gone, plural(r.GetTotal(), "instance"), color)
	if going > 0 {
		out += fmt.Sprintf(", %d more out of service", going)
	}
	if r.GetRestore() {
		out += "; they are asked for back"
	}
	return out
}

// approvedWord is what a person has approved.
func approvedWord(act adminv1.Act) string {
	if act == adminv1.Act_ACT_RETIRE {
		return "that the old color is let go"
	}
	return "that users meet it"
}

// becauseWord is a reason as the end of a line.
func becauseWord(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

func forcedWord(sw *adminv1.Switch) string {
	if sw.GetForced() {
		return ", forced: not validated"
	}
	return ""
}

func (a *app) checkLines(b *block, m *adminv1.ModelStatus) {
	for _, c := range m.GetChecks() {
		if c.GetResult() != adminv1.Result_RESULT_UNSPECIFIED {
			continue // it has run, and its verdict comes with the others'
		}
		b.line("checks", "%s runs%s", c.GetCheck(), progressWord(c, ": "))
	}
	for _, v := range m.GetState().GetSwitch().GetVerdicts() {
		b.line("checks", "%s %s: %s", resultWord(v.GetResult()), v.GetCheck(), v.GetSummary())
		for _, m := range v.GetMeasures() {
			if m.GetRule() != "" {
				b.line("checks", "  %s", measureWords(m))
			}
		}
	}
}

// progressWord is how far a check is, after between; empty where it can't be told.
func progressWord(c *adminv1.CheckProgress, between string) string {
	switch {
	case c.GetTotal() > 0:
		return fmt.Sprintf("%s%d/%d", between, c.GetDone(), c.GetTotal())
	case c.GetDone() > 0:
		return fmt.Sprintf("%s%d done", between, c.GetDone())
	default:
		return ""
	}
}

func (a *app) nodeLines(b *block, m *adminv1.ModelStatus) {
	r := m.GetReport()
	if !m.GetState().GetReportKnown() {
		b.line("nodes", "unknown: the fleets have not reported")
		return
	}
	unsettled := ""
	if !r.GetSettled() {
		unsettled = "; waiting for known nodes to come back"
	}
	b.line("nodes", "%d of %d connected run routing %d%s", r.GetAcked(), r.GetConnected(), r.GetGeneration(), unsettled)
	for _, n := range r.GetRejected() {
		b.line("nodes", "rejected: %s/%s its %s, %s ago: %s", n.GetFleet(), n.GetNode(), n.GetType(), a.age(n.GetAt()), n.GetReason())
	}
	for _, n := range r.GetPending() {
		b.line("nodes", "pending: %s/%s %s", n.GetFleet(), n.GetNode(), n.GetDetail())
	}
	for _, n := range append(r.GetColdBlueNodes(), r.GetColdGreenNodes()...) {
		b.line("nodes", "cold: %s/%s %s", n.GetFleet(), n.GetNode(), n.GetDetail())
	}
	for _, n := range r.GetStale() {
		b.line("nodes", "stale: %s/%s lost %s ago, may send until %s (%s left)", n.GetFleet(), n.GetNode(),
			a.age(n.GetSince()), clock(n.GetUntil()), a.left(n.GetUntil()))
	}
}
