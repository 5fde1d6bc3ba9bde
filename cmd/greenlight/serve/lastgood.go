package serve

import (
	"maps"
	"slices"

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

// keepPolicies writes what changed in set to disk. A failure is logged and
// tried again with the next set: routing does not wait for it.
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
}
