package registry

import (
	"context"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// source is what all registries share: feeds of raw answers on one side, and
// on the other guarded endpoint sets for those who watch a model.
type source struct {
	name        string // "consul" or "file"; begins every error's text
	hub         *hub
	lookup      lookup
	settle      time.Duration
	afterErrors bool // see guard
	log         *slog.Logger
}

// watch is one call of watch; it belongs to the goroutine of that call.
type watch struct {
	source *source
	model  string
	d      policy.Discovery
	log    *slog.Logger
	emit   func(rollout.EndpointSet)

	guard   *guard
	subs    []*subscription
	faults  uint64 // of all feeds together, as last seen
	hosts   hosts
	inUse   []string // host names in the newest answer
	emitted *rollout.EndpointSet
	noted   string    // last logged list of instances that are left out
	mute    string    // last logged problem of which nobody hears otherwise: there is no good set yet
	wake    time.Time // of the guard's last ruling
	renew   time.Time // when host names are looked up again; zero when there are none
}

// watch emits guarded sets of one model from the feeds of keys until ctx is
// done. Nothing it started is left when it returns.
func (s *source) watch(ctx context.Context, model string, d policy.Discovery, keys []key,
	last *rollout.EndpointSet, emit func(rollout.EndpointSet)) {
	w := &watch{
		source: s, model: model, d: d, emit: emit, hosts: hosts{},
		log:   s.log.With("model", model, "registry", s.name),
		guard: newGuard(model, s.settle, s.afterErrors, last),
	}
	wake := make(chan struct{}, 1)
	for _, k := range keys {
		sub := s.hub.subscribe(k, wake)
		defer sub.close()
		w.subs = append(w.subs, sub)
	}
	w.loop(ctx, wake)
}

// loop waits for one of four things: the end, an answer, addresses of host
// names, or a time that the guard or the host names have asked for.
func (w *watch) loop(ctx context.Context, wake <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var renewed chan map[string][]netip.Addr // not nil while a look-up runs
	defer func() {
		if renewed != nil {
			<-renewed
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
			w.hear(ctx)
		case news := <-renewed:
			renewed = nil
			w.hosts.merge(news, w.inUse)
			w.hear(ctx)
		case <-timer.C:
			if !w.renew.IsZero() && !time.Now().Before(w.renew) {
				renewed = w.startRenewal(ctx)
			}
			w.rule(ctx, w.guard.tick(time.Now()))
		}
		w.plan(renewed != nil)
		timer.Reset(w.untilNext())
	}
}

func (w *watch) startRenewal(ctx context.Context) chan map[string][]netip.Addr {
	out := make(chan map[string][]netip.Addr, 1)
	names := slices.Clone(w.inUse)
	go func() { out <- w.source.lookup.lookUp(ctx, names) }()
	return out
}

// plan sets when host names are looked up next.
func (w *watch) plan(running bool) {
	every := w.hosts.next()
	switch {
	case running, every == 0:
		w.renew = time.Time{}
	case w.renew.IsZero(), w.renew.After(time.Now().Add(every)):
		w.renew = time.Now().Add(every)
	}
}

// untilNext is the time to the earlier of the two wake-ups.
func (w *watch) untilNext() time.Duration {
	next := w.wake
	if next.IsZero() || !w.renew.IsZero() && w.renew.Before(next) {
		next = w.renew
	}
	if next.IsZero() {
		return time.Hour // neither is asked for; a tick without need is harmless
	}
	return time.Until(next)
}

// hear takes the newest answers of all feeds. A set is made only of whole ones:
// while one half of a model is missing or failing, there is no answer.
func (w *watch) hear(ctx context.Context) {
	services := map[string][]instance{}
	var faults uint64
	var failed error
	whole := true
	for _, sub := range w.subs {
		a, spoken := sub.answer()
		whole = whole && spoken
		faults += a.faults
		if failed == nil {
			failed = a.err
		}
		maps.Copy(services, a.services)
	}
	faulty := faults != w.faults
	w.faults = faults
	switch {
	case failed != nil:
		problem := w.source.name + ": " + oneLine(failed)
		if w.guard.good == nil && problem != w.mute {
			w.mute = problem
			w.log.Warn("no endpoints are known yet, and the registry can't be asked", "problem", problem)
		}
		w.rule(ctx, w.guard.fail(time.Now(), problem))
	case whole:
		w.resolve(ctx, services)
		p := place(w.d, services, w.hosts.locate)
		w.note(p)
		w.rule(ctx, w.guard.answer(time.Now(), p.set, faulty))
	}
}

// resolve makes sure that every host name was looked up at least once. Only new
// names make an answer wait.
func (w *watch) resolve(ctx context.Context, services map[string][]instance) {
	w.inUse = hostNames(serviceNames(w.d), services)
	w.hosts.keep(w.inUse)
	if missing := w.hosts.missing(w.inUse); len(missing) > 0 {
		w.hosts.merge(w.source.lookup.lookUp(ctx, missing), missing)
	}
}

// rule carries out a ruling of the guard.
func (w *watch) rule(ctx context.Context, r ruling) {
	w.wake = r.wake
	if !r.known || ctx.Err() != nil || w.emitted != nil && same(*w.emitted, r.set) {
		return
	}
	w.tell(r.set)
	w.emitted = &r.set
	w.emit(r.set)
}

// tell logs when trouble begins and when it ends.
func (w *watch) tell(s rollout.EndpointSet) {
	before := ""
	if w.emitted != nil {
		before = w.emitted.Problem
	}
	switch s.Problem {
	case before:
	case "":
		w.log.Info("registry is believed again", "blue", len(s.Blue), "green", len(s.Green))
	default:
		w.log.Warn("last good endpoints stand", "problem", s.Problem, "since", s.Since)
	}
}

// noteAtMost is how many instances a log line names.
const noteAtMost = 5

// note logs the instances that are left out, once until they change.
func (w *watch) note(p placed) {
	left := slices.Concat(p.unplaced, p.broken)
	slices.Sort(left)
	list := strings.Join(left, "; ")
	if list == w.noted {
		return
	}
	w.noted = list
	if len(left) > 0 {
		w.log.Warn("instances are left out", "without_color", len(p.unplaced), "unusable", len(p.broken),
			"first", strings.Join(left[:min(len(left), noteAtMost)], "; "))
	}
}

// lineMost bounds an error's text: it ends up in statuses and logs.
const lineMost = 500

// oneLine is an error's text without line breaks, cut if it is very long.
func oneLine(err error) string {
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
	if len(text) > lineMost {
		text = strings.ToValidUTF8(text[:lineMost], "") + "…"
	}
	return text
}

func same(a, b rollout.EndpointSet) bool {
	return slices.Equal(a.Blue, b.Blue) && slices.Equal(a.Green, b.Green) &&
		maps.Equal(a.Unready, b.Unready) && a.Problem == b.Problem && a.Since.Equal(b.Since)
}
