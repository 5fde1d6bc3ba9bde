package policy

import (
	"maps"
	"slices"
	"time"
)

// Set is every policy that is in force, with what is wrong around it. It is a
// value: whoever has one may keep it, nobody changes it.
type Set struct {
	Models map[string]Entry
	Fleets map[string]FleetEntry
	// Problems is everything that is wrong with the files, sorted by place.
	Problems []Problem
	// Warnings is what is doubtful about policies that are in force, sorted by
	// place. They keep nothing out of force, and no entry has them as its problem.
	Warnings []Problem
	// Origin is where all of that comes from.
	Origin Origin
}

// Entry is where one model's policy stands.
type Entry struct {
	// Model is the policy in force: that of the file, or the last good one. It
	// is nil when there never was a good one.
	Model *Model
	// Problem is empty while all that the files say of the model is in force.
	Problem string
	// Since is when Problem began; zero without one.
	Since time.Time
}

// FleetEntry is where one fleet's policy stands; its fields are those of Entry.
type FleetEntry struct {
	Fleet   *Fleet
	Problem string
	Since   time.Time
}

// Same reports whether o says the same as s, with the very same policies.
func (s Set) Same(o Set) bool {
	return maps.Equal(s.Models, o.Models) && maps.Equal(s.Fleets, o.Fleets) &&
		slices.Equal(s.Problems, o.Problems) && slices.Equal(s.Warnings, o.Warnings) && s.Origin.same(o.Origin)
}
