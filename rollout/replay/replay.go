// Package replay lets a recorded switch happen again under another policy: the same
// registry, fleets, verdicts, people and users, on the simulated world of policy tests.
// It is pure.
package replay

import (
	"fmt"
	"slices"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/record"
	"greenlight/rollout/simulate"
)

// Result is what another policy would have made of a switch.
type Result struct {
	Recorded rollout.Switch
	Replayed rollout.State
	Story    []simulate.Line
	Began    time.Time
	// Until is when the recording ends, or the replay was over.
	Until time.Time
	// Notes say what can't be known, and what was assumed for it.
	Notes []string
	// lost is how much is missing of the recording, because the control plane was killed.
	lost time.Duration
}

// Play replays r under p. An error says why that can't be done at all.
func Play(r record.Recording, p *policy.Model) (Result, error) {
	head := headOf(r)
	switch {
	case head == nil:
		return Result{}, fmt.Errorf("the recording of switch %s lacks its beginning", r.Switch.ID)
	case p.Name != r.Switch.Model:
		return Result{}, fmt.Errorf("switch %s is of model %s, and the policy of %s", r.Switch.ID, r.Switch.Model, p.Name)
	}
	player := newPlayer(r, head, p)
	if err := player.mixes(p); err != nil {
		return Result{}, err
	}
	player.play()
	replayed := player.world.State()
	if sw := replayed.Switch; sw != nil && sw.ID != r.Switch.ID { // the one before it
		replayed.Switch = nil
	}
	return Result{
		Recorded: r.Switch, Replayed: replayed, Story: player.world.Story,
		Began: player.began, Until: player.world.Now(), Notes: player.notes,
		lost: lostIn(r),
	}, player.err
}

// lostIn is how long nobody wrote down what was heard.
func lostIn(r record.Recording) (lost time.Duration) {
	for i, e := range r.Entries {
		if e.Restarted && i > 0 {
			lost += e.At.Sub(r.Entries[i-1].At)
		}
	}
	return lost
}

func headOf(r record.Recording) *record.Head {
	if len(r.Entries) == 0 {
		return nil
	}
	return r.Entries[0].Head
}

// player is one replay.
type player struct {
	recording record.Recording
	world     *simulate.World
	began     time.Time
	users     *users
	instances *instances
	asks      asks
	numbers   numbers
	checks    simulate.Checks
	notes     []string
	err       error
}

// untilTold is how long a node that is away is believed to keep its routing: the recording
// says when it is not any more.
const untilTold = 365 * 24 * time.Hour

func newPlayer(r record.Recording, head *record.Head, p *policy.Model) *player {
	own := *p
	own.Wanted = policy.Wanted{} // who started it is in the recording
	out := &player{
		recording: r, began: r.Entries[0].At, users: newUsers(r), instances: newInstances(r),
		asks: asks{by: map[string]*asked{}, leaves: map[string]time.Time{}}, numbers: numbers{},
	}
	state := atRest(head.State, r.Switch)
	state.Facts = rollout.Facts{
		Endpoints: out.numbers.set(p.Name, head.Endpoints), EndpointsKnown: !head.Endpoints.Unknown,
		Traffic: rollout.Traffic{Records: head.Records},
	}
	answers := newAnswers(r)
	nodes := simulate.Nodes{
		Count: head.Fleet.Connected + head.Fleet.Stale, Away: head.Fleet.Stale, Lease: untilTold, Ack: answers.usual,
	}
	out.world = simulate.From(state, policy.Entry{Model: &own}, out.began, nodes)
	out.world.Answer, out.world.Asked = answers.to, out.asked
	out.checks.By = map[string]simulate.Check{}
	out.firstVerdicts()
	if r.Switch.Undoes == "" { // that asks no checks
		out.unknownChecks(&own)
	}
	return out
}

// atRest is how the model stood when the switch began, without the one before it, which
// is not recorded: sw has taken the place of its retirement, if there was one. A switch
// that went back to before an earlier one wants some switch before it, and it is known
// that going back was not that one's own rollback.
func atRest(s rollout.State, sw rollout.Switch) rollout.State {
	s.Phase, s.Letting, s.Rolled, s.Queued = rollout.Idle, rollout.Letting{}, rollout.Rolled{}, rollout.Queued{}
	s.Deadline, s.NextCheck, s.HoldUntil, s.GiveUpAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	if sw.Undoes != "" {
		s.Switch = &rollout.Switch{Model: s.Model, From: s.Live, To: s.Live.Other(), Outcome: rollout.Aborted}
	}
	return s
}

// firstVerdicts makes each check come to what it came to first, until it comes to
// something else.
func (p *player) firstVerdicts() {
	for _, e := range p.recording.Entries {
		if v := e.Verdict; v != nil {
			if _, known := p.checks.By[v.Check]; !known {
				p.checks.By[v.Check] = checkOf(*v)
			}
		}
	}
	p.world.SetChecks(p.checks)
}

func checkOf(v record.Verdict) simulate.Check {
	return simulate.Check{Result: v.Result, Summary: v.Summary, Takes: v.Took}
}

// unknownChecks notes what the policy asks and nobody has measured.
func (p *player) unknownChecks(m *policy.Model) {
	var missing []string
	for _, c := range slices.Concat(m.Validate, m.StepChecks.Checks, m.Bake.Checks) {
		if _, known := p.checks.By[c.Name]; !known && c.Endpoints == nil && !slices.Contains(missing, c.Name) {
			missing = append(missing, c.Name)
		}
	}
	for _, name := range missing {
		p.note(fmt.Sprintf("check %s was not run in the recorded switch: it is taken for passed", name))
	}
}

func (p *player) note(text string) {
	if !slices.Contains(p.notes, text) {
		p.notes = append(p.notes, text)
	}
}

// deed is an entry, at the time from which on it makes a difference.
type deed struct {
	at time.Time
	record.Entry
	outside outside // of an answer of the registry
}

// deeds is the recording in the order in which the world changes: a check comes to its
// result from when it began.
func (p *player) deeds() []deed {
	var out []deed
	for i, e := range p.recording.Entries[1:] {
		at := e.At
		if e.Verdict != nil {
			at = at.Add(-e.Verdict.Took)
		}
		if at.Before(p.began) {
			at = p.began
		}
		out = append(out, deed{at, e, p.instances.outside[i+1]})
	}
	slices.SortStableFunc(out, func(a, b deed) int { return a.at.Compare(b.at) })
	return out
}

// afterEnd is how long a way back that was begun may take when the recording is over.
const afterEnd = time.Minute

func (p *player) play() {
	w, head := p.world, headOf(p.recording)
	deeds := p.deeds()
	for _, d := range deeds {
		w.Ahead = append(w.Ahead, d.at)
	}
	p.waitFirst()
	c := head.Command
	c.ID, c.ByPolicy = p.recording.Switch.ID, false
	w.Command(c)
	for _, d := range deeds {
		if p.run(d.at); p.over() {
			return
		}
		w.Change(func() { p.change(d) })
		p.run(d.at)
	}
	// What was not looked at while nobody was there is looked at for as long later.
	p.run(w.Now().Add(min(lostIn(p.recording), afterEnd)))
	if w.State().Phase == rollout.RollingBack {
		p.run(w.Now().Add(afterEnd))
	}
}

// waitFirst lets other models hold up the switch from its start, if they did.
func (p *player) waitFirst() {
	for _, e := range p.recording.Entries {
		if e.Turn != nil {
			p.world.SetOthers(others(*e.Turn))
			return
		}
	}
}

// others is why other models hold up a switch; empty when they do not.
func others(t rollout.Turn) string {
	switch {
	case t.Granted:
		return ""
	case t.Why == "":
		return "other models come first"
	default:
		return t.Why
	}
}

func (p *player) run(until time.Time) {
	if err := p.world.Run(until); err != nil && p.err == nil {
		p.err = err
	}
}

// over reports whether the replayed switch has ended, or was never taken.
func (p *player) over() bool {
	sw := p.world.State().Switch
	return p.err != nil || sw == nil || sw.Outcome != ""
}

// change makes the world what the recording says.
func (p *player) change(d deed) {
	w := p.world
	switch {
	case d.Endpoints != nil:
		var away rollout.ByColor[int]
		*away.At(p.recording.Switch.To) = d.outside.away
		w.SetEndpoints(p.numbers.set(w.State().Model, d.outside.Endpoints), away)
	case d.Fleet != nil:
		now := w.Given().Nodes
		count := d.Fleet.Connected + d.Fleet.Stale
		if count != now.Count || d.Fleet.Stale != now.Away || d.Fleet.Behind != now.Behind {
			now.Count, now.Away, now.Behind = count, d.Fleet.Stale, d.Fleet.Behind
			w.SetNodes(now)
		}
	case d.Verdict != nil:
		p.checks.By[d.Verdict.Check] = checkOf(*d.Verdict)
		w.SetChecks(p.checks)
	case d.Window != nil:
		window, note := p.users.window(d.Entry, w.State(), w.Splits())
		if note != "" {
			p.note(note)
		}
		w.Measure(window)
	case d.Record != nil:
		w.SetRecord(*d.Record)
	case d.Turn != nil:
		w.SetOthers(others(*d.Turn))
	case d.Command != nil:
		c := *d.Command
		c.ByPolicy = false
		w.Command(c)
	case d.Restarted:
		w.Restart(0)
		p.note(fmt.Sprintf("the control plane was started again at %s: what was heard in the seconds before may be missing", clock(d.At)))
	case d.Cut:
		p.note(fmt.Sprintf("the recording was full at %s: users' requests after that are missing", clock(d.At)))
	}
}
