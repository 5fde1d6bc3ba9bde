package plan

import (
	"fmt"
	"strings"
)

// Sentence is what the switch does, in words.
func (s Switch) Sentence() string {
	to := string(s.To)
	switch {
	case to == "" && s.Version != "":
		to = "version " + s.Version
	case s.Version != "":
		to += " (" + s.Version + ")"
	}
	switch s.Does {
	case Starts:
		text := "a switch to " + to + " starts by itself, with all its checks, once every node has confirmed the policy"
		if s.If != "" {
			text += "; if " + s.If
		}
		if s.Turn != "" {
			text += "; first it waits: " + s.Turn
		}
		return text
	case Begins:
		return "the switch to " + to + " that waits for its turn begins at once"
	case Aborts:
		return "the running switch to " + to + " is aborted; no user has met it"
	case GoesBack:
		return "all users go back to " + to + " at once"
	default:
		return "no switch starts yet: " + s.Why
	}
}

// sentence is what the plan changes, on one line.
func (p Plan) sentence() string {
	if !p.Changed {
		return "Nothing changes."
	}
	return "Plan: " + p.changes() + "."
}

// changes is what the plan changes, as a part of a line.
func (p Plan) changes() string {
	if !p.Changed {
		return "nothing changes"
	}
	s := p.Summary
	parts := []string{counted(s.Models, "model")}
	if s.Fleets.all() > 0 {
		parts = append(parts, counted(s.Fleets, "fleet"))
	}
	parts = append(parts, counted(s.Resources, "resource"))
	if s.Nodes != nil && s.Resources.all() > 0 {
		parts = append(parts, count(*s.Nodes, "connected node"))
	}
	if s.Switches > 0 {
		parts = append(parts, count(s.Switches, "switch")+" by the policy's word")
	}
	return strings.Join(parts, "; ")
}

// counted is "models: 1 added, 2 changed".
func counted(c Counts, noun string) string {
	var parts []string
	for _, k := range []struct {
		n    int
		what Change
	}{{c.Added, Added}, {c.Changed, Changed}, {c.Removed, Removed}} {
		if k.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", k.n, k.what))
		}
	}
	if len(parts) == 0 {
		parts = []string{"none"}
	}
	return noun + "s: " + strings.Join(parts, ", ")
}

func count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "ch"):
		return fmt.Sprintf("%d %ses", n, noun)
	default:
		return fmt.Sprintf("%d %ss", n, noun)
	}
}

// arrow is a field's values: old → new.
func (f Field) arrow() string {
	switch {
	case f.Old == "":
		return "none -> " + f.New
	case f.New == "":
		return f.Old + " -> none"
	default:
		return f.Old + " -> " + f.New
	}
}

// headline is where a model stands now, as the end of its heading.
func (s *Standing) headline() string {
	if s == nil || s.Live == "" {
		return ""
	}
	text := string(s.Live)
	if v := strings.Join(s.Versions[s.Live], ", "); v != "" {
		text += " " + v
	}
	text += " is live"
	if s.Weights.Blue != 100 && s.Weights.Green != 100 {
		text += fmt.Sprintf(", weights blue %g%% green %g%%", s.Weights.Blue, s.Weights.Green)
	}
	if s.Phase != "idle" {
		text += ", " + s.Phase
	}
	return text
}

func (m Move) sentence() string {
	to, from := m.To, m.From
	if to == "" {
		to = "nobody (404)"
	}
	if from == "" {
		from = "nobody (404)"
	}
	return fmt.Sprintf("requests to %s%s: %s -> %s", m.Host, m.Prefix, from, to)
}

// sentence is who is on a host, beside what differs.
func (h Host) sentence() string {
	var claims []string
	for _, c := range h.Claims {
		claims = append(claims, c.Model+" "+c.Prefix)
	}
	text := list(claims)
	if len(h.Sharing) > 0 {
		text += "; shared with " + list(h.Sharing) + ", whose routes stay as they are"
	}
	if len(h.Rewritten) > 0 {
		text += "; the host says other retries, so the routes of " + list(h.Rewritten) + " are written otherwise and do as before"
	}
	return text
}

// names joins the routes of a change.
func (h Host) names(c Change) string {
	var out []string
	for _, r := range h.Routes {
		if r.Change == c {
			out = append(out, r.Route)
		}
	}
	return list(out)
}

// shared says who else is in the route configuration.
func (f Fleet) shared() string {
	if len(f.Sharing) == 0 {
		return ""
	}
	return "in the same route configuration, with routes that stay as they are: " + list(f.Sharing)
}

// nodes is how many nodes the fleet has, as the end of its heading.
func (f Fleet) nodes() string {
	if f.Nodes == nil {
		return ""
	}
	return count(*f.Nodes, "connected node")
}
