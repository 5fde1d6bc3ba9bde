package reconcile

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/record"
)

// loop is one model's goroutine: all that happens to the model happens here,
// one thing after the other.
type loop struct {
	g     *Group
	o     *Options
	model string
	log   *slog.Logger

	// Other goroutines bring their news through these.
	requests   chan request
	entries    *mailbox[policy.Entry]
	observed   *mailbox[answer]
	fleet      chan struct{} // Fleet.Report may have news
	traffic    chan struct{} // Traffic.Take may have news
	turn       chan struct{} // turns.of may have news
	progressed chan struct{} // a running check got further
	checked    chan checkResult
	retired    chan rollout.Retired
	done       chan struct{} // closed when the loop and all that it started has ended
	cancel     context.CancelFunc

	// Only the loop's goroutine touches the rest, until done is closed.
	ctx        context.Context // ends with the loop
	background sync.WaitGroup  // what the loop started
	state      rollout.State   // as journaled, or new
	journaled  bool            // state has been in the journal
	queue      []rollout.Event // events that wait for their turn, commands excepted
	failing    *failure        // set while the journal can't be written
	retry      *time.Timer     // tries a failing journal again
	timer      *time.Timer     // State.WakeAt
	shown      rollout.Status  // what the board has

	// Policies: see policies.go.
	entry    policy.Entry  // what the policy folder says
	took     *policy.Model // the one that was taken last, until what follows from it is shown
	policy   *policy.Model // in force; never nil
	standsIn bool          // policy is what the fleets have, until entries is taken
	before   *policy.Model // in force before the last change; nil if none was
	accepted *policy.Model // the newest that all nodes took; nil if none is known
	rejected *rejection    // the policy that a node did not take

	// Endpoints: see endpoints.go.
	watch     *watch
	endpoints rollout.EndpointSet  // the registry's newest answer
	heard     bool                 // endpoints is set
	settled   bool                 // the first answer was stepped: the group may get ready
	good      *rollout.EndpointSet // the newest without a problem; at first that of the disk
	served    rollout.EndpointSet  // what the fleets were given; at first what they may still have
	fed       bool                 // the fleets were given something

	// Routing: see act.go.
	published *rollout.Routing // the last one that Step made
	unsent    bool             // published waits for the first endpoints
	report    rollout.Report   // what the fleets made of it

	checks *checkRun // running; nil if none

	// Recordings: see recording.go.
	recorder record.Recorder
	recorded time.Time // of the last part
}

func newLoop(g *Group, model string, entry policy.Entry) *loop {
	return &loop{
		g: g, o: &g.o, model: model, log: g.o.Log.With("model", model),
		requests:   make(chan request),
		entries:    newMailbox[policy.Entry](),
		observed:   newMailbox[answer](),
		fleet:      make(chan struct{}, 1),
		traffic:    make(chan struct{}, 1),
		turn:       make(chan struct{}, 1),
		progressed: make(chan struct{}, 1),
		checked:    make(chan checkResult),
		retired:    make(chan rollout.Retired),
		done:       make(chan struct{}),
		state:      rollout.New(model),
		entry:      entry,
		policy:     entry.Model,
	}
}

// run works until ctx is done and what it started has ended.
func (l *loop) run(ctx context.Context) {
	defer close(l.done)
	defer l.background.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.ctx = ctx
	l.timer, l.retry = stoppedTimer(), stoppedTimer()
	defer l.timer.Stop()
	defer l.retry.Stop()
	l.begin()
	for {
		l.drain()
		if l.stoodIn() {
			l.drain()
		}
		l.settleStalled()
		l.show()
		if l.took != nil && l.failing == nil {
			l.g.turns.took(l.model, l.took)
			l.took = nil
		}
		l.setTimer()
		entries, traffic := l.entries.C, l.traffic
		if l.failing != nil {
			// Users' requests wait where they are gathered: there they are bounded.
			traffic = nil
			// A new policy waits until what is queued was stepped under the old
			// one: else what became of the old one would be held against it.
			entries = nil
		}
		// One of twelve things can happen.
		select {
		case <-ctx.Done(): // the process ends, or the model's policy is gone
			l.keepRecording(time.Now(), true)
			return
		case r := <-l.requests: // an operator or a pipeline has a word
			l.answer(r)
		case <-l.observed.C: // the registry has an answer
			l.observe()
		case <-l.fleet: // the fleets have news
			l.hear()
		case <-traffic: // users' requests were reported
			l.measure()
		case <-l.turn: // other models have made room, or taken it
			l.add(rollout.TurnCame{Turn: l.g.turns.of(l.model)})
		case result := <-l.checked: // a set of checks is done
			l.conclude(result)
		case <-l.progressed: // a check got further: only the status changes
		case e := <-l.retired: // instances were let go, or were not
			l.add(e)
		case <-entries: // the policy folder has news
			if entry, ok := l.entries.take(); ok {
				l.takeEntry(entry)
			}
		case <-l.timer.C: // State.WakeAt has come
			l.add(rollout.Tick{})
		case <-l.retry.C: // a failing journal is due for another try
			l.tryJournal()
		}
	}
}

// begin goes on where the journal says that the model stood.
func (l *loop) begin() {
	if l.journaled {
		if l.state.Live != "" { // it stands, whether or not the journal can be written now
			l.publish(l.state.Routing(l.policy))
		}
		l.add(rollout.Recovered{})
	}
	l.startWatch()
	signal(l.fleet)
	signal(l.turn)
}

// stoodIn takes the file's policy in the place of the one that stood in for it when the
// model was recovered, before anything is heard: nothing is begun by the older one.
func (l *loop) stoodIn() bool {
	if !l.standsIn || l.failing != nil {
		return false
	}
	l.standsIn = false
	entry, ok := l.entries.take()
	if ok {
		l.takeEntry(entry)
	}
	return ok
}

// setTimer waits for WakeAt; while the journal fails no Tick could be answered.
func (l *loop) setTimer() {
	at := l.state.WakeAt()
	if at.IsZero() || l.failing != nil {
		l.timer.Stop()
		return
	}
	l.timer.Reset(time.Until(at))
}

func stoppedTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// show posts the status if it says something new.
func (l *loop) show() {
	s := l.status()
	s.Revision = l.shown.Revision
	if s.Revision > 0 && reflect.DeepEqual(s, l.shown) {
		return
	}
	l.shown = l.g.board.post(s)
	l.g.turns.post(l.state.Claimant(l.policy))
}

func (l *loop) status() rollout.Status {
	problem, since := l.policyProblem()
	return rollout.Status{
		State:         l.visible(),
		Policy:        l.policy,
		PolicyProblem: problem,
		PolicySince:   since,
		Endpoints:     l.endpoints,
		Report:        l.report,
		Traffic:       l.state.Facts.Traffic,
		Return:        l.state.Readiness(),
		Silent:        l.state.Silent(),
		Drift:         l.state.Drift(l.policy),
		Judgement:     l.state.SoFar(),
		Checks:        l.checks.progress(),
	}
}

// visible is the journaled state as operators see it.
func (l *loop) visible() rollout.State {
	s := l.state
	// What was heard is in the status itself; only that it was heard is not.
	s.Facts = rollout.Facts{EndpointsKnown: s.Facts.EndpointsKnown, ReportKnown: s.Facts.ReportKnown}
	if l.failing != nil {
		s.Problem = l.failing.String()
	}
	return s
}
