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

// keepPolicies writes what changed in set to disk, and drops what was removed. A
// failure is logged and tried again with the next set: routing does not wait for it.
func (s *server) keepPolicies(set policy.Set) {
	done := func(key, failed string, err error) bool {
		if err != nil {
			s.log.Error(failed, "policy", key, "err", err)
		}
		return err == nil
	}
	keep := func(key string, p any, save func() error) {
		// An unchanged one is the very same.
		if s.kept[key] != p && done(key, "can't keep a policy for the next start", save()) {
			s.kept[key] = p
		}
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
	for _, key := range slices.Sorted(maps.Keys(s.kept)) {
		kind, name, _ := strings.Cut(key, " ")
		_, stands := set.Models[name]
		forget := s.store.ForgetPolicy
		if kind == "fleet" {
			_, stands = set.Fleets[name]
			forget = s.store.ForgetFleet
		}
		if !stands && done(key, "can't forget a removed policy, which would come back at a start with broken files", forget(name)) {
			delete(s.kept, key)
		}
	}
}
