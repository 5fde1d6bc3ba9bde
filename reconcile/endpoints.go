package reconcile

import (
	"context"
	"reflect"
	"slices"

	"greenlight/policy"
	"greenlight/rollout"
)

// watch is one Registry.Watch that runs.
type watch struct {
	discovery policy.Discovery
	cancel    context.CancelFunc
	done      chan struct{}
}

// answer is what a watch said.
type answer struct {
	from *watch
	set  rollout.EndpointSet
}

// startWatch watches what the policy in force says, unless it already does.
// The watch before has ended when the new one begins, so that an old answer
// can't overtake a new one in the mailbox.
func (l *loop) startWatch() {
	d, old := l.policy.Discovery, l.watch
	if old != nil && reflect.DeepEqual(old.discovery, d) {
		return
	}
	if old != nil {
		old.cancel()
		l.forget()
	}
	ctx, cancel := context.WithCancel(l.ctx)
	w, last := &watch{discovery: d, cancel: cancel, done: make(chan struct{})}, l.good
	l.watch = w
	l.background.Go(func() {
		defer close(w.done)
		if old != nil {
			<-old.done
		}
		l.o.Registry.Watch(ctx, l.model, d, last, func(set rollout.EndpointSet) {
			if ctx.Err() == nil {
				l.observed.put(answer{w, set})
			}
		})
	})
}

// forget drops what was heard of the discovery before. The fleets keep their
// endpoints until the new one has spoken, and its watch may fall back on them.
func (l *loop) forget() {
	l.endpoints, l.heard = rollout.EndpointSet{}, false
	l.queue = slices.DeleteFunc(l.queue, func(e rollout.Event) bool {
		_, ok := e.(rollout.Observed)
		return ok
	})
	l.add(rollout.Rediscovering{})
}

// observe takes the registry's newest answer. The fleets get it even while the
// journal fails: where instances are is no decision.
func (l *loop) observe() {
	news, ok := l.observed.take()
	if !ok || news.from != l.watch { // a watch that has ended since
		return
	}
	set := news.set
	l.endpoints, l.heard = set, true
	if set.Problem == "" {
		if l.good == nil || !reflect.DeepEqual(*l.good, set) {
			l.keepEndpoints(set)
		}
		l.good = &set
	}
	l.serve()
	l.add(rollout.Observed{Endpoints: set})
}

func (l *loop) keepEndpoints(set rollout.EndpointSet) {
	if store := l.o.Endpoints; store != nil {
		l.g.saver.put("endpoints of "+l.model, func() error { return store.SaveEndpoints(l.model, set) })
	}
}

// serve hands the fleets what their clusters should hold, if that has changed,
// and then the routing that waited for it.
func (l *loop) serve() {
	if !l.heard {
		return
	}
	blue, green := rollout.Served(l.served, l.state.InService(l.endpoints), l.inUse())
	next := rollout.EndpointSet{Blue: blue, Green: green}
	if !l.fed || !reflect.DeepEqual(next, l.served) {
		l.served, l.fed = next, true
		l.o.Fleet.Endpoints(l.model, blue, green)
	}
	if l.unsent {
		l.unsent = false
		l.publish(*l.published)
	}
}

// inUse is the weights in force, with a share for each color to which some
// node may still send: a color is emptied only when the fleets have told that
// nobody does. Before they have told anything of the last routing, both count.
func (l *loop) inUse() rollout.Weights {
	told := l.report.Settled && l.report.Generation == l.state.Generation
	used := func(c policy.Color) bool {
		return l.state.Weights.Of(c) > 0 || l.report.MaySend[c] > 0 || l.state.Generation > 0 && !told
	}
	if used(policy.Blue) && used(policy.Green) {
		return rollout.Split(policy.Blue, policy.Full/2)
	}
	return l.state.Weights
}
