package resource

import (
	"fmt"
	"maps"
	"slices"
)

// HostTable holds a fleet's virtual hosts as bytes, so that a change of one
// model costs the marshalling of that model's hosts and no other's. It is not
// safe for concurrent use. The zero HostTable is empty and ready.
type HostTable struct {
	models map[string]Model
	hosts  map[string]*hostEntry
	order  []string // keys of hosts, sorted; nil when hosts were added or removed
	dirty  map[string]bool
}

// hostEntry is one virtual host: who shares it, and its bytes as last built.
type hostEntry struct {
	models map[string]bool
	bytes  []byte
}

// Set puts m in the place of the model of the same name.
func (t *HostTable) Set(m Model) {
	t.Remove(m.Policy.Name)
	if t.models == nil {
		t.models = map[string]Model{}
		t.hosts = map[string]*hostEntry{}
		t.dirty = map[string]bool{}
	}
	t.models[m.Policy.Name] = m
	for _, h := range distinctHosts(m) {
		e := t.hosts[h]
		if e == nil {
			e = &hostEntry{models: map[string]bool{}}
			t.hosts[h] = e
		}
		e.models[m.Policy.Name] = true
		t.dirty[h] = true
	}
}

// Remove takes the model off; it reports whether it was there.
func (t *HostTable) Remove(model string) bool {
	m, ok := t.models[model]
	if !ok {
		return false
	}
	delete(t.models, model)
	for _, h := range distinctHosts(m) {
		delete(t.hosts[h].models, model)
		t.dirty[h] = true
	}
	return true
}

// Has reports whether the table routes the model.
func (t *HostTable) Has(model string) bool {
	_, ok := t.models[model]
	return ok
}

// Len is the number of models.
func (t *HostTable) Len() int { return len(t.models) }

// RouteConfig brings the changed virtual hosts up to date and returns the bytes
// of the whole route configuration. They are the caller's.
func (t *HostTable) RouteConfig(name string) ([]byte, error) {
	for h := range t.dirty {
		if err := t.rebuild(h); err != nil {
			return nil, err
		}
	}
	if t.order == nil {
		t.order = slices.Sorted(maps.Keys(t.hosts))
	}
	all := make([][]byte, len(t.order))
	for i, h := range t.order {
		all[i] = t.hosts[h].bytes
	}
	return RouteConfigBytes(name, all), nil
}

// rebuild marshals host h anew, or drops it when no model is left on it.
func (t *HostTable) rebuild(h string) error {
	e := t.hosts[h]
	if len(e.models) == 0 {
		delete(t.hosts, h)
		delete(t.dirty, h)
		t.order = nil
		return nil
	}
	models := make([]Model, 0, len(e.models))
	for name := range e.models {
		models = append(models, t.models[name])
	}
	b, err := Marshal(Host(h, models))
	if err != nil {
		return fmt.Errorf("marshal virtual host %q: %w", h, err)
	}
	if e.bytes == nil {
		t.order = nil
	}
	e.bytes = b
	delete(t.dirty, h)
	return nil
}
