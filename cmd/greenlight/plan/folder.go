package plan

import (
	"path/filepath"

	"greenlight/policy"
)

// in names the files of b as a reading of dir names them, so that the same file has
// the same name on both sides.
func (b Basis) in(dir string) Basis {
	to := filepath.Clean(dir)
	if b.Folder == "" || filepath.Clean(b.Folder) == to && filepath.Clean(b.Files) == to {
		return b
	}
	source := func(file string) string { return moved(file, b.Folder, to) }
	name := func(file string) string { return moved(file, b.Files, to) }
	set := b.Set
	set.Models, set.Fleets = map[string]policy.Entry{}, map[string]policy.FleetEntry{}
	for model, e := range b.Set.Models {
		e.Model = withFiles(e.Model, source, name)
		set.Models[model] = e
	}
	for fleet, e := range b.Set.Fleets {
		if e.Fleet != nil {
			f := *e.Fleet
			f.Source.File = source(f.Source.File)
			e.Fleet = &f
		}
		set.Fleets[fleet] = e
	}
	inForce := map[string]*policy.Model{}
	for model, m := range b.InForce {
		inForce[model] = withFiles(m, source, name)
	}
	b.Set, b.InForce, b.Folder, b.Files = set, inForce, dir, dir
	return b
}

// moved is a path below from as a path below to; another path stays as it is.
func moved(path, from, to string) string {
	below, err := filepath.Rel(from, path)
	if path == "" || err != nil || !filepath.IsLocal(below) {
		return path
	}
	return filepath.Join(to, below)
}

// withFiles is m with other names for the files that it came from, and for those that
// it uses.
func withFiles(m *policy.Model, source, name func(string) string) *policy.Model {
	if m == nil {
		return nil
	}
	next := *m
	next.Source.File = source(m.Source.File)
	next.Source.Defaults = nil
	for _, file := range m.Source.Defaults {
		next.Source.Defaults = append(next.Source.Defaults, source(file))
	}
	next.Validate = checksWithFiles(m.Validate, name)
	next.StepChecks.Checks = checksWithFiles(m.StepChecks.Checks, name)
	next.Bake.Checks = checksWithFiles(m.Bake.Checks, name)
	return &next
}

func checksWithFiles(checks []policy.Check, name func(string) string) []policy.Check {
	if checks == nil {
		return nil
	}
	out := make([]policy.Check, len(checks))
	for i, c := range checks {
		switch {
		case c.Golden != nil:
			golden := *c.Golden
			golden.File = name(golden.File)
			c.Golden = &golden
		case c.Quality != nil:
			quality := *c.Quality
			quality.Data = name(quality.Data)
			c.Quality = &quality
		case c.Drift != nil:
			drift := *c.Drift
			drift.Data = name(drift.Data)
			c.Drift = &drift
		case c.Latency != nil:
			latency := *c.Latency
			latency.Data, latency.Requests = name(latency.Data), name(latency.Requests)
			c.Latency = &latency
		}
		out[i] = c
	}
	return out
}
