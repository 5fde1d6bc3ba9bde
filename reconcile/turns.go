package reconcile

import (
	"maps"
	"reflect"
	"slices"
	"sync"

	"greenlight/policy"
	"greenlight/rollout"
)

// turns knows what every model says of itself to those that wait for it, and tells
// who may begin. What it grants counts as taken until the model has begun, so that
// two loops never take the same place.
type turns struct {
	mu      sync.Mutex
	all     map[string]rollout.Claimant
	granted map[string]bool
	told    map[string]rollout.Turn
	// coming is the policies that models are about to take: until they have, nobody
	// knows whether a switch follows from them.
	coming map[string]*policy.Model
	tell   func(model string) // a model's turn has changed; must not block
}

func newTurns(tell func(model string)) *turns {
	return &turns{
		all: map[string]rollout.Claimant{}, granted: map[string]bool{}, told: map[string]rollout.Turn{},
		coming: map[string]*policy.Model{}, tell: tell,
	}
}

// expect says that models are about to take these policies.
func (t *turns) expect(news map[string]*policy.Model) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.Copy(t.coming, news)
}

// took says that a model has taken a policy, and has posted what follows from it.
func (t *turns) took(model string, m *policy.Model) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.coming[model] == m {
		delete(t.coming, model)
		t.settle()
	}
}

// post takes what some models say of themselves, all before anybody's turn comes.
func (t *turns) post(news ...rollout.Claimant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	changed := false
	for _, c := range news {
		if old, ok := t.all[c.Model]; ok && reflect.DeepEqual(old, c) {
			continue
		}
		t.all[c.Model], changed = c, true
		if !c.Waits || c.Barred != "" { // it has begun, is over, or can't use its turn now
			delete(t.granted, c.Model)
			delete(t.told, c.Model)
		}
	}
	if changed {
		t.settle()
	}
}

// drop forgets a model that is routed no more.
func (t *turns) drop(model string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, model)
	delete(t.coming, model)
	delete(t.granted, model)
	delete(t.told, model)
	t.settle()
}

// settle tells those whose turn has changed. It is called with mu held.
func (t *turns) settle() {
	all := slices.Collect(maps.Values(t.all))
	if !slices.ContainsFunc(all, func(c rollout.Claimant) bool { return c.Waits }) {
		return
	}
	for i := range all {
		if t.coming[all[i].Model] != nil {
			all[i].Unsettled = "its policy has just changed"
		}
	}
	for model, turn := range rollout.Turns(all, t.granted) {
		if turn.Granted {
			t.granted[model] = true
		}
		if turn != t.told[model] {
			t.told[model] = turn
			t.tell(model)
		}
	}
}

// of is a model's turn as it was told last.
func (t *turns) of(model string) rollout.Turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.told[model]
}

// prime posts what the models of a first set say of themselves by their journal: a
// model that waits must not begin before it is known who runs.
func (g *Group) prime(set policy.Set) {
	var all []rollout.Claimant
	for model, entry := range set.Models {
		if state, ok := g.states[model]; ok && g.loops[model] == nil && entry.Model != nil {
			all = append(all, state.Claimant(entry.Model))
		}
	}
	g.turns.post(all...)
}
