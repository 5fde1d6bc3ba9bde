package xds

import (
	"slices"
	"strings"
	"time"
)

// watch is what one stream subscribes to of one kind. The node's mutex guards it.
// At most one answer is in flight: what changes meanwhile waits, latest wins.
type watch struct {
	kind     kind
	stream   *stream
	wildcard bool     // delta: everything of the fleet is held
	all      *holdAll // state-of-the-world: everything of the fleet; nil when names were given
	names    []string // state-of-the-world: as last asked
	held     map[string]*holding
	dirty    map[string]*holding // those of held that may need telling
	fresh    bool                // delta: nothing was answered yet, and an empty answer is one
	flight   *flight
	rejects  bool // it has rejected something
	ackedAt  time.Time
}

// holding is one resource that a node subscribes to by name (delta: or by wildcard).
type holding struct {
	name     string
	wanted   *blob // nil: there is none
	out      *blob // in flight
	acked    *blob
	removing bool // its removal is in flight
	has      bool // the node has it, at a version that is not known here
	again    bool // it was asked for and has to be answered, changed or not
	unsure   bool // a rejected answer may have been taken in part
	implied  bool // delta: held because of the wildcard alone
	// refused is the rejected versions: they are never sent again. For a route
	// configuration hosts is the rejected hosts, by version.
	refused map[string]*nack
	hosts   map[string]*nack
	// suspects is hosts of a rejected configuration of which some are at fault.
	suspects map[string]*nack
	// audience counts those behind on a route configuration; counted says that
	// this node is one of them.
	audience *audience
	counted  bool
	// waits is since when the first routes wait for what they send users to.
	waits time.Time
}

// holdAll is what a state-of-the-world wildcard subscriber holds.
type holdAll struct {
	wanted, acked *generation
	answered      *generation // acknowledged or rejected last
	refused       map[string]*nack
	again, unsure bool
}

// flight is an answer that the node has not answered yet.
type flight struct {
	nonce string
	all   *generation
	into  *holdAll // the subscription that all answers
	items []*holding
}

// nack is a node's rejection.
type nack struct {
	reason string
	at     time.Time
	named  []string // the clusters of the rejected answer that reason names
}

// confirmed reports whether the node runs the wanted content and has nothing
// else on its way.
func (h *holding) confirmed() bool {
	return h.wanted != nil && h.acked != nil && !h.removing &&
		h.acked.version == h.wanted.version && (h.out == nil || h.out.version == h.wanted.version)
}

// count keeps the audience right; it reports whether nobody is behind any more.
func (h *holding) count() bool {
	if h.audience == nil {
		return false
	}
	behind := !h.confirmed()
	if behind == h.counted {
		return false
	}
	h.counted = behind
	if behind {
		h.audience.behind.Add(1)
		return false
	}
	return h.audience.behind.Add(-1) == 0
}

// hold begins or repeats a subscription to name.
func (w *watch) hold(name string, implied bool) *holding {
	h := w.held[name]
	if h == nil {
		h = &holding{name: name, implied: implied}
		w.held[name] = h
	}
	h.implied = h.implied && implied
	return h
}

// want sets what h should hold. a is the audience that h belongs to; nil for
// anything but routes.
func (w *watch) want(h *holding, b *blob, a *audience) {
	if h.audience != a {
		w.uncount(h)
		h.audience = a
	}
	h.wanted = b
	h.count()
	w.dirty[h.name] = h
}

// drop ends a subscription.
func (w *watch) drop(h *holding) {
	w.uncount(h)
	delete(w.held, h.name)
	delete(w.dirty, h.name)
}

func (w *watch) uncount(h *holding) {
	if h.counted {
		h.counted = false
		h.audience.behind.Add(-1)
	}
	h.audience = nil
}

// settle takes a node's answer to nonce: an ACK, or a NACK if reason is not
// nil. It reports whether that answer was waited for; any other nonce is stale
// and says nothing.
func (w *watch) settle(nonce string, reason *string) bool {
	f := w.flight
	if f == nil || f.nonce != nonce {
		return false
	}
	w.flight = nil
	if reason != nil {
		w.reject(f, *reason)
	} else {
		w.ackedAt = w.stream.server.opts.Now()
		w.accept(f)
	}
	return true
}

func (w *watch) accept(f *flight) {
	if f.all != nil && f.into == w.all {
		w.acceptedAll(f.all)
	}
	for _, h := range f.items {
		if w.held[h.name] != h {
			continue // unsubscribed meanwhile
		}
		was := h.acked
		h.acked, h.out, h.unsure, h.has = h.out, nil, false, false
		removed := h.removing
		h.removing = false
		w.accepted(h, was)
		if removed && h.implied && h.wanted == nil {
			w.drop(h)
		}
	}
}

// accepted notes that a node took h. What it took it rejects no longer.
func (w *watch) accepted(h *holding, was *blob) {
	if h.acked != nil && h.refused[h.acked.version] != nil {
		delete(h.refused, h.acked.version)
		w.subscribed(h)
	}
	if w.kind == route {
		h.acquit()
		w.stream.node.follows(h)
		if h.count() {
			w.stream.server.touchBehind(h.audience, urgent)
		}
	}
	w.moved(h, was)
}

// acceptedAll notes that a node took everything that g has.
func (w *watch) acceptedAll(g *generation) {
	a, s := w.all, w.stream.server
	s.grows(a.acked, g)
	s.shrinks(a.acked, g)
	a.acked, a.answered, a.unsure = g, g, false
	if f := w.stream.node.fleet; f != nil && a.refused[g.version] != nil {
		delete(a.refused, g.version)
		s.touchFleet(f, soon)
	}
}

// reject notes a NACK. Nothing of the answer is known to have been taken, and
// nothing to have been left; only its route configurations are all or nothing.
func (w *watch) reject(f *flight, reason string) {
	s := w.stream.server
	w.rejects = true
	no := &nack{reason: reason, at: s.opts.Now()}
	s.log.Warn("node rejected an answer", "fleet", w.stream.node.key.fleet, "node", w.stream.node.key.id, "type", w.kind, "reason", reason)
	if f.all != nil && f.into == w.all {
		for _, b := range f.all.blobs {
			if names(reason, b.name) {
				no.named = append(no.named, b.name)
			}
		}
		w.all.answered, w.all.unsure = f.all, true
		w.all.refused = note(w.all.refused, f.all.version, no)
	}
	guilty := blame(f.items, reason)
	for _, h := range f.items {
		if w.held[h.name] == h {
			w.rejected(h, no, slices.Contains(guilty, h))
		}
	}
	s.rejectedBy(w)
}

func (w *watch) rejected(h *holding, no *nack, guilty bool) {
	out := h.out
	h.out, h.removing = nil, false
	h.unsure = w.kind != route
	if guilty && out != nil {
		h.refused = note(h.refused, out.version, no)
		if w.kind == route {
			h.refuseHosts(out, no)
		}
	}
	h.count()
	w.dirty[h.name] = h
}

func note(m map[string]*nack, version string, no *nack) map[string]*nack {
	if m == nil {
		m = map[string]*nack{}
	}
	m[version] = no
	return m
}

// blame picks the items of a rejected answer that its reason names; if it names
// none, each may be at fault that the node had not taken before.
func blame(items []*holding, reason string) []*holding {
	var named []*holding
	for _, h := range items {
		if names(reason, h.name) {
			named = append(named, h)
		}
	}
	if len(named) > 0 {
		return named
	}
	return slices.DeleteFunc(slices.Clone(items), func(h *holding) bool {
		return h.out == nil || h.acked != nil && h.acked.version == h.out.version
	})
}

// names reports whether text holds name as a word of its own: fraud/green is
// not meant by my-fraud/green.
func names(text, name string) bool {
	inName := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] == '-' || text[i] == '_' || text[i] == '/' ||
			text[i] >= '0' && text[i] <= '9' || text[i] >= 'a' && text[i] <= 'z' || text[i] >= 'A' && text[i] <= 'Z')
	}
	for from := 0; name != ""; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		i += from
		if !inName(i-1) && !inName(i+len(name)) {
			return true
		}
		from = i + 1
	}
	return false
}
