package serve

import (
	"maps"
	"slices"
	"strings"

	"greenlight/policy"
)

// lastGood is the set of policies that were in force when the process last ran.
func (s *server) lastGood() (policy.Set, error) {
	set := policy.Set{Models: map[string]policy.Entry{}, Fleets: map[string]policy.FleetEntry{}}
	models, err := s.store.Policies()
	if err != nil {
		return set, err
	}
	fleets, err := s.store.FleetPolicies()
	if err != nil {
		return set, err
	}
	for name, m := range models {
		set.Models[name] = policy.Entry{Model: m}
		s.kept["model "+name] = m
	}
	for name, f := range fleets {
		set.Fleets[name] = policy.FleetEntry{Fleet: f}
		s.kept["fleet "+name] = f
	}
	return set, nil
}

// keepPolicies writes what changed in set to disk, and takes off it what is out of
// force, so that no later start brings that back. A failure is logged and tried again
// with the next set: routing does not wait for it.
func (s *server) keepPolicies(set policy.Set) {
	keep := func(key string, p any, save func() error) {
		if s.kept[key] == p { // an unchanged one is the very same
			return
		}
		if err := save(); err != nil {
			s.log.Error("can't keep a policy for the next start", "policy", key, "err", err)
			return
		}
		s.kept[key] = p
	}
	for _, name := range slices.Sorted(maps.Keys(set.Models)) {
		if m := set.Models[name].Model; m != nil {
			keep("model "+name, m, func() error { return s.store.SavePolicy(m) })
		}
	}
	for _, name := range slices.Sorted(maps.Keys(set.Fleets)) {
		if f := set.Fleets[name].Fleet; f != nil {
			keep("fleet "+name, f, func() error { return s.store.SaveFleet(f) })
		}
	}
	s.forgetPolicies(set)
}

// forgetPolicies drops the kept policies that set does not have. One that merely has a
// mistake, or whose file is gone without leave, is in the set: its last good one stands.
func (s *server) forgetPolicies(set policy.Set) {
	for _, key := range slices.Sorted(maps.Keys(s.kept)) {
		kind, name, _ := strings.Cut(key, " ")
		_, model := set.Models[name]
		_, fleet := set.Fleets[name]
		forget, stays := s.store.ForgetPolicy, model
		if kind == "fleet" {
			forget, stays = s.store.ForgetFleet, fleet
		}
		if stays {
			continue
		}
		if err := forget(name); err != nil {
			s.log.Error("can't drop a policy that is out of force: the next start may bring it back", "policy", key, "err", err)
			continue
		}
		delete(s.kept, key)
	}
}
