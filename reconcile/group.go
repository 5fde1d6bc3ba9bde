package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// Options is what a Group works with.
type Options struct {
	Fleet     Fleet
	Journal   Journal
	Checker   Checker
	Registry  Registry
	Traffic   Traffic // nil: no fleet reports users' requests
	Retirer   Retirer
	Endpoints EndpointStore // nil: endpoints are not kept
	Policies  PolicyStore   // nil: policies are not kept
	Reports   ReportStore   // nil: reports are not kept
	// Recordings keeps what switches heard; nil: nothing is recorded.
	Recordings RecordingStore
	Log        *slog.Logger
	// States, LastEndpoints and TakenPolicies are what the journal and the two
	// stores held at the start.
	States        map[string]rollout.State
	LastEndpoints map[string]rollout.EndpointSet
	TakenPolicies map[string]*policy.Model
	// Ready is called once, when every model of the first policy set has had
	// its first registry answer and, if it has a live color, is routed. It
	// must not block.
	Ready func()
	// NewWithin is how long Ready waits for models that were never routed;
	// 0 means 10 s. Models that were routed are waited for however long.
	NewWithin time.Duration
}

// newWithin is Options.NewWithin unless one is given.
const newWithin = 10 * time.Second

// Group runs the loops of all models.
type Group struct {
	o        Options
	policies *mailbox[policy.Set]
	board    *board
	saver    *saver
	ids      *idMaker
	start    *startup
	claims   *claims
	turns    *turns
	checking *running
	stopped  chan struct{} // closed when Run has ended
	// stopping is done when Run is about to end.
	stopping context.Context
	stop     context.CancelFunc

	mu    sync.RWMutex
	loops map[string]*loop // written by Run's goroutine alone

	// Only Run's goroutine touches the rest: what a model that comes (back)
	// begins with.
	states map[string]rollout.State
	last   map[string]rollout.EndpointSet
	taken  map[string]*policy.Model
	given  map[string]*policy.Model // what each loop was given last
}

// New makes a Group; Run brings it to life.
func New(o Options) *Group {
	if o.NewWithin == 0 {
		o.NewWithin = newWithin
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	g := &Group{
		o:        o,
		policies: newMailbox[policy.Set](),
		board:    newBoard(),
		saver:    newSaver(o.Log),
		ids:      newIDMaker(),
		start:    newStartup(o.Ready),
		claims:   newClaims(),
		checking: &running{models: map[string]struct{}{}},
		stopped:  make(chan struct{}),
		loops:    map[string]*loop{},
		states:   map[string]rollout.State{},
		last:     map[string]rollout.EndpointSet{},
		taken:    map[string]*policy.Model{},
		given:    map[string]*policy.Model{},
	}
	g.turns = newTurns(func(model string) {
		if l := g.loop(model); l != nil {
			signal(l.turn)
		}
	})
	g.stopping, g.stop = context.WithCancel(context.Background())
	maps.Copy(g.states, o.States)
	maps.Copy(g.last, o.LastEndpoints)
	maps.Copy(g.taken, o.TakenPolicies)
	return g
}

// Run works until ctx is done, and leaves no goroutine behind. It can be
// called once.
func (g *Group) Run(ctx context.Context) error {
	saved := make(chan struct{})
	go func() {
		defer close(saved)
		g.saver.run()
	}()
	defer close(g.stopped)
	late := stoppedTimer()
	defer late.Stop()
	begun := false
	for {
		select {
		case <-ctx.Done():
			g.stop()
			for _, l := range g.loops {
				<-l.done
			}
			g.saver.stop()
			<-saved
			return nil
		case <-g.policies.C:
			if set, ok := g.policies.take(); ok {
				g.arrange(ctx, set)
				if !begun {
					begun = true
					late.Reset(g.o.NewWithin)
				}
			}
		case <-late.C:
			g.hurry()
		}
	}
}

// hurry ends the wait for models that were never routed, and names those that
// have not been heard of.
func (g *Group) hurry() {
	if waiting := g.start.waiting(); len(waiting) > 0 {
		g.o.Log.Warn("no first answer of the registry yet; only models that were routed before hold up the start, unless none was heard of",
			"models", waiting, "after", g.o.NewWithin)
	}
	g.start.hurry()
}

// Waiting is the models whose first registry answer Ready still waits for, sorted.
func (g *Group) Waiting() []string { return g.start.waiting() }

// SetPolicies replaces the policies of all models. It returns at once.
func (g *Group) SetPolicies(set policy.Set) { g.policies.put(set) }

// FleetChanged says that Fleet.Report(model) may have something new. It
// returns at once.
func (g *Group) FleetChanged(model string) {
	if l := g.loop(model); l != nil {
		signal(l.fleet)
	}
}

// TrafficChanged says that Traffic.Take(model) has something new. It returns at once.
func (g *Group) TrafficChanged(model string) {
	if l := g.loop(model); l != nil {
		signal(l.traffic)
	}
}

// Status is where a model stands.
func (g *Group) Status(model string) (rollout.Status, bool) { return g.board.get(model) }

// Statuses is where every model stands, sorted by name.
func (g *Group) Statuses() []rollout.Status { return g.board.list() }

// Watch emits every model's status and then every change, until ctx is done.
// If emit is slow it gets the latest of each model and skips what was in
// between. A model whose policy was removed is emitted once more, without a
// policy. The error is that of ctx, or ErrStopped.
func (g *Group) Watch(ctx context.Context, emit func(rollout.Status)) error {
	return g.board.watch(ctx, g.stopped, emit)
}

func (g *Group) loop(model string) *loop {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.loops[model]
}

// arrange starts, informs and ends loops so that there is one for each model
// that has a policy.
func (g *Group) arrange(ctx context.Context, set policy.Set) {
	g.claims.read(set)
	for model := range g.board.names() {
		if _, ok := set.Models[model]; !ok {
			g.drop(model)
		}
	}
	g.turns.expect(g.newsOf(set))
	var fresh []string
	for _, model := range slices.Sorted(maps.Keys(set.Models)) {
		entry := set.Models[model]
		switch l := g.loops[model]; {
		case l != nil:
			l.entries.put(entry)
		case entry.Model != nil:
			fresh = append(fresh, model)
		default:
			g.board.post(g.unknown(model, entry))
		}
	}
	expected := map[string]bool{}
	for _, model := range fresh {
		expected[model] = g.states[model].Generation > 0
	}
	if len(fresh) > 0 || set.Origin.Problem == "" || set.Origin.Commit != nil {
		// Otherwise nobody knows yet which models there are, and to send that there are
		// none would take them off the fleets.
		g.start.expect(expected)
	}
	g.prime(set)
	for _, model := range fresh {
		g.add(ctx, model, set.Models[model])
	}
}

// newsOf is the policies that models which run are about to take.
func (g *Group) newsOf(set policy.Set) map[string]*policy.Model {
	news := map[string]*policy.Model{}
	for model, entry := range set.Models {
		if l := g.loops[model]; l != nil && entry.Model != nil && entry.Model != g.given[model] {
			news[model] = entry.Model
		}
		g.given[model] = entry.Model
	}
	return news
}

// unknown is the status of a model whose only policy is a broken one.
func (g *Group) unknown(model string, entry policy.Entry) rollout.Status {
	state, ok := g.states[model]
	if !ok {
		state = rollout.New(model)
	}
	return rollout.Status{State: state, PolicyProblem: entry.Problem, PolicySince: entry.Since}
}

func (g *Group) add(ctx context.Context, model string, entry policy.Entry) {
	l := newLoop(g, model, entry)
	if state, ok := g.states[model]; ok {
		l.state, l.journaled = state, true
	}
	if last, ok := g.last[model]; ok {
		l.good, l.served = &last, l.state.Kept(last)
	}
	if taken := g.taken[model]; taken != nil {
		l.accepted = taken
		if l.journaled && !same(taken, l.policy) {
			// It goes on under the policy that the fleets have, but its word on what
			// should be live is the last one that was heeded: that may be a newer one.
			// The file has changed since: that is a change of policy like any other.
			stands := *taken
			stands.Wanted = l.state.Word.Want
			l.policy, l.standsIn = &stands, true
			g.turns.expect(map[string]*policy.Model{model: entry.Model})
			l.entries.put(entry)
		}
	}
	g.claims.use(l.policy)
	ctx, l.cancel = context.WithCancel(ctx)
	l.show() // before anyone can ask for it
	g.mu.Lock()
	g.loops[model] = l
	g.mu.Unlock()
	go l.run(ctx)
}

// drop ends a model whose policy is gone. Its state stays in the journal, and
// here, should it come back.
func (g *Group) drop(model string) {
	gone := rollout.Status{State: rollout.New(model), PolicyProblem: "the policy was removed: the model is not routed any more"}
	if l := g.loops[model]; l != nil {
		l.cancel()
		<-l.done
		g.mu.Lock()
		delete(g.loops, model)
		g.mu.Unlock()
		if l.journaled {
			g.states[model] = l.state
			gone.State = l.visible()
		}
		if l.good != nil {
			g.last[model] = *l.good
		}
		if l.accepted != nil {
			g.taken[model] = l.accepted
		}
		g.o.Fleet.Withdraw(model)
		g.claims.drop(model)
		g.turns.drop(model)
		g.o.Log.Warn("model withdrawn: its policy was removed", "model", model)
	}
	g.board.remove(gone)
	g.start.gone(model)
}

// command hands a command to a model's loop and waits for the answer.
func (g *Group) command(ctx context.Context, l *loop, cmd rollout.Command) (rollout.Status, error) {
	r := request{command: cmd, reply: make(chan reply, 1)}
	select {
	case l.requests <- r:
	case <-l.done:
		return rollout.Status{}, g.ended(l.model)
	case <-ctx.Done():
		return rollout.Status{}, ctx.Err()
	}
	select {
	case a := <-r.reply:
		return a.status, a.err
	case <-ctx.Done():
		return rollout.Status{}, fmt.Errorf("wait for %s of %s, which goes on: %w", cmd.Verb, l.model, ctx.Err())
	}
}

// ended is why a loop takes no commands any more.
func (g *Group) ended(model string) error {
	if g.loop(model) != nil {
		return ErrStopped
	}
	return fmt.Errorf("%w: %q", rollout.ErrNoModel, model)
}
