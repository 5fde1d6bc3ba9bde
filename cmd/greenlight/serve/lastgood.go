package serve

import (
	"maps"
	"slices"
	"strings"
	"time"

	"greenlight/policy"
	"greenlight/store"
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
	s.troubles, err = s.store.Troubles()
	if err != nil {
		return set, err
	}
	set.Origin.Problem, set.Origin.Since = s.trouble("origin")
	for name, m := range models {
		problem, since := s.trouble("model " + name)
		set.Models[name] = policy.Entry{Model: m, Problem: problem, Since: since}
		s.kept["model "+name] = m
	}
	for name, f := range fleets {
		problem, since := s.trouble("fleet " + name)
		set.Fleets[name] = policy.FleetEntry{Fleet: f, Problem: problem, Since: since}
		s.kept["fleet "+name] = f
	}
	return set, nil
}

func (s *server) trouble(who string) (problem string, since time.Time) {
	t := s.troubles[who]
	return t.Problem, t.Since
}

// keepTroubles writes what stands against the files, so that the next start knows
// since when it does.
func (s *server) keepTroubles(set policy.Set) {
	now := map[string]store.Trouble{}
	note := func(who, problem string, since time.Time) {
		if problem != "" {
			now[who] = store.Trouble{Problem: problem, Since: since.Round(0)} // as it comes back
		}
	}
	note("origin", set.Origin.Problem, set.Origin.Since)
	for name, e := range set.Models {
		note("model "+name, e.Problem, e.Since)
	}
	for name, e := range set.Fleets {
		note("fleet "+name, e.Problem, e.Since)
	}
	same := func(a, b store.Trouble) bool { return a.Problem == b.Problem && a.Since.Equal(b.Since) }
	if maps.EqualFunc(now, s.troubles, same) {
		return
	}
	if err := s.store.SaveTroubles(now); err != nil {
		s.log.Error("can't keep since when policies have problems", "err", err)
		return
	}
	s.troubles = now
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
