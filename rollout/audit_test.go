package rollout_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// seen is one Step from the outside.
type seen struct {
	before, after rollout.State
	event         rollout.Event
	actions       []rollout.Action
	p             *policy.Model
	now           time.Time
}

// audit holds every Step against the rules of "What must always hold". It
// remembers what happened by itself, so that it does not believe the state.
type audit struct {
	endpoints *rollout.EndpointSet // as last observed since the start
	report    *rollout.Report
	// rediscovering: no trusted answer since the discovery changed.
	rediscovering bool
	running       uint64 // the check run that nobody has ended
	validated     map[string]bool
	weighed       map[string]bool // the last validation left only what a person may accept
	stepped       bool            // the step's checks have passed since it was confirmed
	nacked        map[string]bool
}

func (a *audit) look(t failer, s seen) {
	t.Helper()
	if refused(s.actions) {
		a.refusal(t, s)
		return
	}
	a.remember(s)
	for _, rule := range []func(seen) error{
		a.journalable, a.transitions, a.generations, a.wakes, a.forward, a.confirmedFirst,
		a.oneRun, a.letGo, a.oneWayBack, a.guarded, a.duties, a.unsettledMovesNothing,
		a.acceptance, a.steps, a.failures, a.mirrors, a.drills, a.takenBack, a.keepsCapacity, a.leaves,
	} {
		if err := rule(s); err != nil {
			t.Fatalf("%T in %s: %v\nbefore %s\nafter %s\nactions %+v\nevent %+v",
				s.event, s.before.Phase, err, asJSON(s.before), asJSON(s.after), s.actions, s.event)
		}
	}
}

func refused(actions []rollout.Action) bool {
	return slices.ContainsFunc(actions, func(a rollout.Action) bool { _, ok := a.(rollout.Refuse); return ok })
}

// refusal: a refused command changes nothing and asks for nothing else.
func (a *audit) refusal(t failer, s seen) {
	if _, ok := s.event.(rollout.Command); !ok || len(s.actions) != 1 || !reflect.DeepEqual(s.before, s.after) {
		t.Fatalf("refusal of %+v changed something: %+v", s.event, s.actions)
	}
	if r := s.actions[0].(rollout.Refuse); r.Message == "" || r.Code == "" {
		t.Fatalf("refusal says nothing: %+v", r)
	}
}

func (a *audit) remember(s seen) {
	if a.validated == nil {
		a.validated, a.weighed, a.nacked = map[string]bool{}, map[string]bool{}, map[string]bool{}
	}
	switch e := s.event.(type) {
	case rollout.Recovered:
		a.endpoints, a.report, a.running, a.rediscovering = nil, nil, 0, false
	case rollout.Rediscovering:
		a.endpoints, a.rediscovering, a.stepped = nil, true, false
		if s.before.Phase == rollout.Validating || s.before.Resume == rollout.Validating {
			delete(a.validated, s.before.Switch.ID)
			delete(a.weighed, s.before.Switch.ID)
		}
	case rollout.Observed:
		if !a.rediscovering || e.Endpoints.Problem == "" {
			a.endpoints, a.rediscovering = &e.Endpoints, false
		}
	case rollout.Reported:
		a.report = &e.Report
		if exposed(s.before) && e.Report.Generation == s.before.Generation && len(e.Report.Rejected) > 0 {
			a.nacked[s.before.Switch.ID] = true
		}
	case rollout.Checked:
		if e.Run == a.running && a.running != 0 {
			a.running = 0
			worst := judged(checksOf(s.before), s.before.Phase == rollout.Validating, e.Verdicts)
			switch s.before.Phase {
			case rollout.Validating:
				a.validated[s.before.Switch.ID] = worst == rollout.Pass
				a.weighed[s.before.Switch.ID] = worst == rollout.Inconclusive
			case rollout.Holding:
				a.stepped = worst == rollout.Pass
			}
		}
	case rollout.Command:
		if e.Verb == rollout.Promote {
			delete(a.nacked, s.before.Switch.ID)
		}
	}
}

// accepted reports whether a named person lets a validation do that came to no
// result, and whether the history says so.
func (a *audit) accepted(s seen) bool {
	c, ok := s.event.(rollout.Command)
	if !ok || c.Verb != rollout.Promote || s.before.Phase != rollout.Held || s.before.Resume != rollout.Validating {
		return false
	}
	sw := s.after.Switch
	said := sw.Accepted != nil && sw.Accepted.Actor == c.Actor && sw.Accepted.Actor != "" &&
		sw.Accepted.Reason == c.Reason && sw.Accepted.At.Equal(s.now) && len(sw.Accepted.Checks) > 0
	last := fresh(s)
	return a.weighed[sw.ID] && said && len(last) == 1 && last[0].Actor == c.Actor && strings.Contains(last[0].Reason, "inconclusive")
}

// judged is the worst that one run says: Fail also for what counts as one, and
// Inconclusive for what a person has to weigh.
func judged(checks []policy.Check, validating bool, verdicts []rollout.Verdict) rollout.Result {
	worst := rollout.Pass
	for _, c := range checks {
		i := slices.IndexFunc(verdicts, func(v rollout.Verdict) bool { return v.Check == c.Name })
		means := c.OnInconclusive
		switch {
		case i < 0 && validating, means == "" && validating:
			means = policy.InconclusiveFails
		case i < 0, means == "":
			means = policy.InconclusiveHolds
		}
		switch inconclusive := i < 0 || verdicts[i].Result == rollout.Inconclusive; {
		case !inconclusive && verdicts[i].Result == rollout.Fail, inconclusive && means == policy.InconclusiveFails:
			return rollout.Fail
		case inconclusive && means == policy.InconclusiveHolds:
			worst = rollout.Inconclusive
		}
	}
	return worst
}

// journalable: what is journaled is all of the state but the facts.
func (a *audit) journalable(s seen) error {
	var back rollout.State
	if err := json.Unmarshal([]byte(asJSON(s.after)), &back); err != nil {
		return err
	}
	if got := asJSON(back); got != asJSON(s.after) {
		return fmt.Errorf("journaled state reads back as %s", got)
	}
	return nil
}

// transitions: every change of phase or weights is in the switch's story, which only grows.
func (a *audit) transitions(s seen) error {
	sw, old := s.after.Switch, s.before.Switch
	if sw == nil {
		if s.after.Phase != rollout.Idle {
			return fmt.Errorf("phase %s without a switch", s.after.Phase)
		}
		return nil
	}
	var told []rollout.Transition
	if old != nil && old.ID == sw.ID {
		told = old.Transitions
	}
	if len(sw.Transitions) < len(told) || !slices.Equal(told, sw.Transitions[:len(told)]) {
		return fmt.Errorf("story was rewritten")
	}
	phase, weights := s.before.Phase, s.before.Weights
	for _, tr := range sw.Transitions[len(told):] {
		if tr.From != phase || tr.Reason == "" || !tr.At.Equal(s.now) {
			return fmt.Errorf("transition %+v does not follow %s", tr, phase)
		}
		phase, weights = tr.To, tr.Weights
	}
	if phase != s.after.Phase || weights != s.after.Weights {
		return fmt.Errorf("story ends in %s %+v", phase, weights)
	}
	if phase != s.before.Phase && !s.after.Since.Equal(s.now) {
		return fmt.Errorf("since = %s", s.after.Since)
	}
	return nil
}

// generations: routing changes only by a Publish with a new generation, and is always whole.
func (a *audit) generations(s seen) error {
	generation := s.before.Generation
	last := s.before.Weights
	for _, r := range published(s.actions) {
		_, again := s.event.(rollout.Recovered)
		if r.Generation < generation || r.Generation == generation && !again {
			return fmt.Errorf("generation %d published after %d", r.Generation, generation)
		}
		if r.Weights.Blue+r.Weights.Green != policy.Full {
			return fmt.Errorf("weights %+v", r.Weights)
		}
		if r.Policy != s.p || !r.Live.Valid() {
			return fmt.Errorf("routing %+v is not whole", r)
		}
		generation, last = r.Generation, r.Weights
	}
	if s.after.Generation != generation || s.after.Weights != last {
		return fmt.Errorf("state says generation %d %+v, published is %d %+v",
			s.after.Generation, s.after.Weights, generation, last)
	}
	return nil
}

func (a *audit) wakes(s seen) error {
	if w := s.after.WakeAt(); !w.IsZero() && !w.After(s.now) {
		return fmt.Errorf("wake at %s would spin", w)
	}
	return nil
}

// unapproved reports whether persons are missing who had to approve the shift.
func unapproved(sw *rollout.Switch) bool {
	need, given := sw.Plan.Needs(policy.BeforeShift), map[string]bool{}
	for _, a := range sw.Approvals {
		if a.Before == policy.BeforeShift && a.By != sw.Actor {
			given[a.By] = true
		}
	}
	return need != nil && len(given) < need.Count
}

// forward: rules 1, 2, 5 and 7 for every publish that gives the target more.
func (a *audit) forward(s seen) error {
	sw := s.after.Switch
	if sw == nil {
		return nil
	}
	had := s.before.Weights.Of(sw.To)
	if s.before.Phase == rollout.Drilling { // the way forward is the way back to what is live
		return nil
	}
	for _, r := range published(s.actions) {
		if r.Weights.Of(sw.To) <= had {
			continue
		}
		switch plan := sw.Plan; {
		case !s.p.Calendar.At(s.now).Open && !sw.Now && sw.Undoes == "":
			return fmt.Errorf("weight moved forward while the calendar is closed")
		case unapproved(sw) && sw.Undoes == "":
			return fmt.Errorf("users met what was not approved")
		case !a.validated[sw.ID] && len(plan.Validate) > 0 && !sw.Forced && sw.Undoes == "" && sw.Accepted == nil && !a.accepted(s):
			return fmt.Errorf("rule 1: unvalidated target got %d", r.Weights.Of(sw.To))
		case sw.Forced && (sw.Actor == "" || sw.Reason == ""):
			return fmt.Errorf("rule 1: forced without who and why")
		case sw.Undoes != "" && (sw.Actor == "" || s.before.Phase.Running() && s.before.Phase != rollout.Preparing && s.before.Resume != rollout.Preparing):
			return fmt.Errorf("rule 1: went back to before %s by itself", sw.Undoes)
		case a.nacked[sw.ID]:
			return fmt.Errorf("rule 5: moved on after a NACK")
		case !a.trusted():
			return fmt.Errorf("rule 7: moved on an untrusted registry")
		case len(a.endpoints.Of(sw.To)) < asked(plan, len(a.endpoints.Of(sw.From))):
			return fmt.Errorf("rule 2: too few endpoints")
		case len(a.endpoints.Versions(sw.To)) != 1 || a.endpoints.Versions(sw.To)[0] != sw.ToVersion:
			return fmt.Errorf("rule 2: not of one version")
		case !a.confirmed(s.before.Generation):
			return fmt.Errorf("rule 5: generation %d was not confirmed", s.before.Generation)
		case a.report.Cold[sw.To] != 0:
			return fmt.Errorf("rule 2: a node is cold")
		}
	}
	return nil
}

// asked is the policy's need, computed in another way than the code does.
func asked(p policy.Model, live int) int {
	need := 1
	for _, c := range p.Validate {
		if c.Endpoints == nil {
			continue
		}
		for need < c.Endpoints.Min || need*int(policy.Full) < live*int(c.Endpoints.OfLive) {
			need++
		}
	}
	return need
}

func (a *audit) trusted() bool { return a.endpoints != nil && a.endpoints.Problem == "" }

func (a *audit) confirmed(generation uint64) bool {
	r := a.report
	return r != nil && r.Settled && r.Generation == generation && r.Acked == r.Connected && len(r.Rejected) == 0 &&
		(r.Connected > 0 || len(r.Stale) == 0)
}

// harmless: all that have not ACKed have rejected, and nobody connected sends to c.
func (a *audit) harmless(generation uint64, c policy.Color) bool {
	r := a.report
	return r != nil && r.Settled && r.Generation == generation && len(r.Pending) == 0 && r.Sending[c] == 0
}

// confirmedFirst: rule 5. A step is left forwards only when every node has ACKed it.
func (a *audit) confirmedFirst(s seen) error {
	for _, tr := range fresh(s) {
		ahead := tr.To == rollout.Holding || tr.To == rollout.Baking || tr.To == rollout.Idle
		if tr.From == rollout.Confirming && ahead && !a.confirmed(tr.Generation) {
			return fmt.Errorf("rule 5: %s without confirmation of %d", tr.To, tr.Generation)
		}
		if tr.From == rollout.RollingBack && !a.confirmed(tr.Generation) && !a.harmless(tr.Generation, s.after.Switch.To) {
			return fmt.Errorf("rule 5: rollback ended without confirmation of %d", tr.Generation)
		}
	}
	return nil
}

// oneRun: never two check runs at once, and none is left behind.
func (a *audit) oneRun(s seen) error {
	for _, act := range s.actions {
		switch act := act.(type) {
		case rollout.RunChecks:
			if a.running != 0 {
				return fmt.Errorf("run %d started beside %d", act.Run, a.running)
			}
			if act.Target != s.after.Switch.To || len(act.Checks) == 0 {
				return fmt.Errorf("run %+v", act)
			}
			a.running = act.Run
		case rollout.CancelChecks:
			if act.Run != a.running {
				return fmt.Errorf("cancelled %d, running is %d", act.Run, a.running)
			}
			a.running = 0
		}
	}
	if s.after.CheckRun != a.running {
		return fmt.Errorf("state says run %d, running is %d", s.after.CheckRun, a.running)
	}
	if a.running != 0 && !slices.Contains([]rollout.Phase{rollout.Validating, rollout.Holding, rollout.Baking}, s.after.Phase) {
		return fmt.Errorf("checks run in %s", s.after.Phase)
	}
	return nil
}

// acceptance: rule 1. What failed is never accepted, and nobody's word appears by itself.
func (a *audit) acceptance(s seen) error {
	now, old := s.after.Switch, s.before.Switch
	if now == nil || now.Accepted == nil || old != nil && old.ID == now.ID && old.Accepted == now.Accepted {
		return nil
	}
	if !a.accepted(s) {
		return fmt.Errorf("rule 1: accepted %+v", now.Accepted)
	}
	return nil
}

// steps: the next step follows only when this one's checks have passed since it
// was confirmed, unless a person says so.
func (a *audit) steps(s seen) error {
	for _, tr := range fresh(s) {
		checked := a.stepped || len(s.after.Switch.Plan.StepChecks.Checks) == 0
		if tr.From == rollout.Holding && tr.To == rollout.Confirming && tr.Actor == "" && !checked {
			return fmt.Errorf("the next step was taken before the checks of this one had passed")
		}
		if tr.To == rollout.Holding {
			a.stepped = false
		}
	}
	return nil
}

// failures: users do not stay on a target whose checks fail unless a person is asked.
func (a *audit) failures(s seen) error {
	e, ok := s.event.(rollout.Checked)
	if !ok || e.Run != s.before.CheckRun || e.Run == 0 {
		return nil
	}
	if judged(checksOf(s.before), s.before.Phase == rollout.Validating, e.Verdicts) != rollout.Fail {
		return nil
	}
	switch s.after.Phase {
	case rollout.RollingBack, rollout.Held, rollout.Idle:
		return nil
	}
	return fmt.Errorf("goes on in %s after a failed check", s.after.Phase)
}

// letGo: rule 6.
func (a *audit) letGo(s seen) error {
	for _, act := range s.actions {
		l, ok := act.(rollout.LetGo)
		if !ok {
			continue
		}
		r := a.report
		if l.Key != l.SwitchID {
			if err := a.rolls(s, l); err != nil {
				return err
			}
			continue
		}
		switch {
		case s.after.Phase != rollout.Retiring || l.Color == s.after.Live:
			return fmt.Errorf("rule 6: %+v in %s", l, s.after.Phase)
		case r == nil || !r.Settled || r.MaySend[l.Color] != 0:
			return fmt.Errorf("rule 6: a node may still send to %s", l.Color)
		case s.now.Before(s.after.Switch.Ended.Add(s.after.Switch.Plan.Retire.After)):
			return fmt.Errorf("rule 6: let go too early")
		}
	}
	return nil
}

// oneWayBack: rule 3. An operator's word takes one publish, in the same Step,
// and whatever goes back goes back whole.
func (a *audit) oneWayBack(s seen) error {
	c, ok := s.event.(rollout.Command)
	if !ok || (c.Verb != rollout.Abort && c.Verb != rollout.RollBack) {
		return nil
	}
	sw := s.after.Switch
	switch got := published(s.actions); {
	case sw.Undoes != "" && (s.before.Switch == nil || s.before.Switch.ID != sw.ID):
		waits := len(got) == 0 && s.after.Phase == rollout.Preparing
		goes := len(got) == 1 && got[0].Weights == rollout.AllOn(c.Before.Color)
		if !waits && !goes || sw.ToVersion != c.Before.Version {
			return fmt.Errorf("rule 3: back to %+v with %+v", c.Before, got)
		}
		return nil
	case c.Verb == rollout.Abort && s.before.Phase == rollout.Drilling:
		stays := s.after.Phase == rollout.RollingBack
		if forward := len(got) == 1 && got[0].Weights == rollout.AllOn(sw.To); !stays && !forward && s.before.Weights != rollout.AllOn(sw.To) {
			return fmt.Errorf("an aborted drill published %+v", got)
		}
		return nil
	case c.Verb == rollout.RollBack && s.before.Phase == rollout.Drilling && s.before.Weights == rollout.AllOn(sw.From):
		if s.after.Phase != rollout.RollingBack && s.after.Phase != rollout.Held && s.after.Phase != rollout.Idle {
			return fmt.Errorf("rule 3: a rollback in a drill led to %s", s.after.Phase)
		}
		return nil
	}
	if c.Verb == rollout.RollBack && !c.Force && !sw.LetGo.IsZero() {
		return fmt.Errorf("rule 6: went back to %s, which was let go", sw.From)
	}
	sick := a.endpoints != nil && len(a.endpoints.Of(sw.From)) < asked(sw.Plan, 0)
	if roll := sw.Plan.Rolling; roll != nil && a.endpoints != nil { // the old color as it was before this word
		before := s.before // a batch of which nobody was told serves again at once
		for n := len(before.Rolled.Batches); n > 0 && before.Rolled.Batches[n-1].Told.IsZero(); n-- {
			before.Rolled.Batches = before.Rolled.Batches[:n-1]
		}
		left := len(before.InService(*a.endpoints).Of(sw.From))
		sick = sick || left*int(policy.Full) < s.before.Rolled.Total*int(roll.Capacity) || left < asked(sw.Plan, 0)
	}
	if a.endpoints != nil && s.before.Live != sw.From && sw.FromVersion != "" { // rule 1: what is there now was not validated
		for _, v := range a.endpoints.Versions(sw.From) {
			sick = sick || !slices.Contains(strings.Split(sw.FromVersion, ", "), v)
		}
	}
	got := published(s.actions)
	switch {
	case s.before.Weights == rollout.AllOn(sw.From):
		stops := s.before.Mirror.Percent > 0 && len(got) == 1 && got[0].Weights == s.before.Weights && got[0].Mirror == rollout.Mirror{}
		if (len(got) != 0 || s.before.Mirror.Percent > 0) && !stops || sw.Outcome != rollout.Aborted || s.after.Phase != rollout.Idle {
			return fmt.Errorf("rule 3: abort before any weight published %+v", got)
		}
	case sick && !c.Force:
		if len(got) != 0 || s.after.Phase != rollout.Held || s.after.Back == "" {
			return fmt.Errorf("rule 3: sick old color, got %+v", got)
		}
	case len(got) != 1 || got[0].Weights != rollout.AllOn(sw.From) || got[0].Live != sw.From:
		return fmt.Errorf("rule 3: got %+v", got)
	}
	return nil
}

// mirrors: only a validated target is sent copies, when it is warm everywhere, and
// none are sent outside of the shadow.
func (a *audit) mirrors(s seen) error {
	for _, r := range published(s.actions) {
		if r.Mirror.Percent == 0 || s.before.Mirror.Percent > 0 {
			continue
		}
		sw := s.after.Switch
		switch {
		case r.Mirror.To != sw.To || r.Weights != rollout.AllOn(sw.From):
			return fmt.Errorf("mirrors %+v", r)
		case !a.validated[sw.ID] && len(sw.Plan.Validate) > 0:
			return fmt.Errorf("rule 1: mirrors to an unvalidated target")
		case !a.trusted() || !a.confirmed(s.before.Generation) || a.report.Cold[sw.To] != 0:
			return fmt.Errorf("rule 2: mirrors to a target that is not safe")
		}
	}
	if s.after.Mirror.Percent > 0 && s.after.Phase != rollout.Shadowing {
		return fmt.Errorf("mirrors in %s", s.after.Phase)
	}
	return nil
}

// guarded: users do not stay on a target that fails them unless a person is asked.
func (a *audit) guarded(s seen) error {
	if !exposed(s.after) || s.after.Phase == rollout.Held {
		return nil
	}
	sw := s.after.Switch
	if r := a.report; r != nil && r.Generation == s.after.Generation && len(r.Rejected) > 0 {
		return fmt.Errorf("rule 5: goes on in spite of a NACK")
	}
	if !a.trusted() {
		return nil
	}
	ready := len(a.endpoints.Of(sw.To))
	if ready == 0 || ready*int(policy.Full) < sw.Needed*int(sw.Plan.Rollback.EndpointsBelow) {
		return fmt.Errorf("goes on with %d of %d endpoints", ready, sw.Needed)
	}
	if v := a.endpoints.Versions(sw.To); len(v) != 1 || v[0] != sw.ToVersion {
		return fmt.Errorf("goes on with versions %q", v)
	}
	return nil
}

// duties: the live color changes only where it is said to, and a model at rest
// has all its weight there.
func (a *audit) duties(s seen) error {
	after := s.after
	if !after.Phase.Running() && after.Live != "" && after.Weights != rollout.AllOn(after.Live) {
		return fmt.Errorf("at rest with %+v and %s live", after.Weights, after.Live)
	}
	if after.Switch != nil && !after.Phase.Running() && (after.Switch.Outcome == "" || after.Switch.Ended.IsZero()) {
		return fmt.Errorf("at rest, but the switch has not ended")
	}
	if s.before.Live == "" || s.before.Live == after.Live {
		return nil
	}
	for _, tr := range fresh(s) {
		undone := tr.From == rollout.Confirming && after.Switch.Undoes != ""
		if tr.To == rollout.Baking || tr.From == rollout.RollingBack || undone {
			return nil
		}
	}
	return fmt.Errorf("live changed from %s to %s", s.before.Live, after.Live)
}

// unsettledMovesNothing: an observation from an untrusted registry, and a
// report of another generation, never move weight.
func (a *audit) unsettledMovesNothing(s seen) error {
	silent := false
	switch e := s.event.(type) {
	case rollout.Observed:
		silent = e.Endpoints.Problem != "" && s.before.Live != "" && !overdue(s)
	case rollout.Reported:
		silent = e.Report.Generation != s.before.Generation && !overdue(s)
	case rollout.Rediscovering:
		silent = !overdue(s)
	case rollout.Recovered:
		silent = true
	}
	if silent && s.after.Weights != s.before.Weights {
		return fmt.Errorf("rule 7: %T moved weight", s.event)
	}
	return nil
}

// drills: users go back only to a color that could take them, warm everywhere, and
// a drill ends where every node has said so.
func (a *audit) drills(s seen) error {
	sw := s.after.Switch
	begins := s.after.Phase == rollout.Drilling && s.before.Phase != rollout.Drilling
	switch {
	case begins && (!a.trusted() || len(a.endpoints.Of(sw.From)) < asked(sw.Plan, 0) || !sw.LetGo.IsZero()):
		return fmt.Errorf("a drill to a color that can't take the users")
	case begins && (!a.confirmed(s.before.Generation) || a.report.Cold[sw.From] != 0):
		return fmt.Errorf("rule 2: a drill before every node was ready for it")
	case begins && sw.Drills[len(sw.Drills)-1].Actor == "":
		return fmt.Errorf("a drill by nobody")
	}
	for _, tr := range fresh(s) {
		rests := tr.From == rollout.Drilling && (tr.To == rollout.Idle || tr.To == rollout.Retiring)
		if rests && (tr.Weights != rollout.AllOn(sw.To) || !a.confirmed(tr.Generation) && !a.harmless(tr.Generation, sw.From)) {
			return fmt.Errorf("rule 5: the drill ended without confirmation of %d", tr.Generation)
		}
	}
	return nil
}

// rolls: a batch is let go only when no node has it in its clusters and its requests
// have had their time, and asked back only by a switch that goes back or has ended.
func (a *audit) rolls(s seen, l rollout.LetGo) error {
	rolled := s.after.Rolled
	b := rolled.Batches[len(rolled.Batches)-1]
	serving := s.after.InService(*orNone(a.endpoints))
	switch {
	case l.Color != s.after.Switch.From || !slices.Equal(l.Instances, b.Instances) || l.Left != b.Left:
		return fmt.Errorf("asks for %+v, the batch is %+v", l, b)
	case l.Restore:
		if sw := s.after.Switch; sw.Outcome == "" && s.after.Phase != rollout.RollingBack && s.after.Back == "" {
			return fmt.Errorf("asks back in %s", s.after.Phase)
		}
		return nil
	case b.Out.IsZero() || s.now.Before(b.Out.Add(s.after.Switch.Plan.Route.Timeout)):
		return fmt.Errorf("rule 6: requests are under way to %+v", b)
	}
	for _, e := range l.Instances {
		if slices.Contains(serving.Of(l.Color), e) {
			return fmt.Errorf("rule 6: %s is in service", e.ID)
		}
	}
	return nil
}

func orNone(e *rollout.EndpointSet) *rollout.EndpointSet {
	if e == nil {
		return &rollout.EndpointSet{}
	}
	return e
}

// keepsCapacity: whatever makes room leaves the capacity in service.
func (a *audit) keepsCapacity(s seen) error {
	if len(s.after.Rolled.Batches) <= len(s.before.Rolled.Batches) {
		return nil
	}
	sw := s.after.Switch
	serving := 0
	for _, c := range policy.Colors {
		if s.after.Weights.Of(c) > 0 {
			serving += len(s.after.InService(*orNone(a.endpoints)).Of(c))
		}
	}
	switch least := s.after.Rolled.Total * int(sw.Plan.Rolling.Capacity); {
	case s.after.Weights == rollout.AllOn(sw.To) && s.after.Phase == rollout.Baking: // the rest, which nobody meets
		return nil
	case !a.trusted():
		return fmt.Errorf("rule 7: makes room on an untrusted registry")
	case serving*int(policy.Full) < least:
		return fmt.Errorf("%d instances serve, of %d", serving, s.after.Rolled.Total)
	}
	return nil
}

// leaves: a batch counts as out only when no node may still send to it.
func (a *audit) leaves(s seen) error {
	before, after := s.before.Rolled.Batches, s.after.Rolled.Batches
	for i, b := range after {
		if b.Out.IsZero() || i < len(before) && !before[i].Out.IsZero() {
			continue
		}
		from := s.after.Switch.From
		if r := a.report; !a.confirmed(s.after.Generation) || r.MaySend[from] > r.Sending[from] || r.Behind[from] > 0 {
			return fmt.Errorf("rule 6: %+v is out, and a node may still send to it", b)
		}
	}
	return nil
}

// takenBack: a version that was taken back meets users only when somebody says so.
func (a *audit) takenBack(s seen) error {
	sw := s.after.Switch
	if sw == nil || sw.Again || sw.Undoes != "" || !exposed(s.after) || exposed(s.before) {
		return nil
	}
	for _, o := range s.before.Tried {
		if o.Version == sw.ToVersion {
			return fmt.Errorf("version %s of switch %s is tried again", o.Version, o.Switch)
		}
	}
	return nil
}

// overdue reports whether a wait ended at this very instant, with or without the event.
func overdue(s seen) bool {
	w := s.before.WakeAt()
	return !w.IsZero() && !s.now.Before(w)
}

// exposed reports whether users meet the target of a switch that may go on.
func exposed(s rollout.State) bool {
	switch s.Phase {
	case rollout.Confirming, rollout.Holding, rollout.Baking, rollout.Paused, rollout.Held:
		return s.Weights.Of(s.Switch.To) > 0
	}
	return false
}

func published(actions []rollout.Action) []rollout.Routing {
	var out []rollout.Routing
	for _, a := range actions {
		if p, ok := a.(rollout.Publish); ok {
			out = append(out, p.Routing)
		}
	}
	return out
}

// fresh is the transitions that one Step made.
func fresh(s seen) []rollout.Transition {
	if s.after.Switch == nil {
		return nil
	}
	old := 0
	if s.before.Switch != nil && s.before.Switch.ID == s.after.Switch.ID {
		old = len(s.before.Switch.Transitions)
	}
	return s.after.Switch.Transitions[old:]
}

// stepTwice holds Step to being pure: the same answer twice, the input untouched.
func stepTwice(t failer, s rollout.State, e rollout.Event, p *policy.Model, now time.Time) (rollout.State, []rollout.Action) {
	t.Helper()
	before := frozen(s, e, p)
	one, first := rollout.Step(s, e, p, now)
	kept := frozen(one, first, p)
	two, second := rollout.Step(s, e, p, now)
	if !reflect.DeepEqual(one, two) || !reflect.DeepEqual(first, second) {
		t.Fatalf("Step answers twice in two ways:\n%+v %+v\n%+v %+v", one, first, two, second)
	}
	if frozen(s, e, p) != before || frozen(one, first, p) != kept {
		t.Fatalf("Step changed its input:\n%s\n%s", before, frozen(s, e, p))
	}
	return one, first
}

func frozen(s rollout.State, more ...any) string {
	return asJSON(s) + asJSON(s.Facts) + asJSON(more)
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func throughJSON(t failer, s rollout.State) rollout.State {
	var out rollout.State
	if err := json.Unmarshal([]byte(asJSON(s)), &out); err != nil {
		t.Fatalf("read journaled state: %v", err)
	}
	return out
}
