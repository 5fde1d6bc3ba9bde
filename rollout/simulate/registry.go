package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// registry holds a model's instances.
type registry struct {
	model   string
	sides   rollout.ByColor[instances]
	problem string
	since   time.Time            // of problem
	good    rollout.EndpointSet  // the last answer without a problem
	fixed   *rollout.EndpointSet // the answer, whatever else is known; nil if there is none
}

// instances are those of one color; numbers are given once.
type instances struct {
	ready   []int
	unready int
	version string
	last    int
}

// set makes side what the registry knows of c.
func (r *registry) set(c policy.Color, side Side) {
	in := r.sides.At(c)
	if in.version != side.Version { // other instances
		in.ready = nil
	}
	in.version, in.unready = side.Version, max(0, side.Unready)
	in.ready = in.ready[:min(len(in.ready), max(0, side.Ready))]
	r.come(c, side.Ready-len(in.ready))
}

// come makes n more instances ready.
func (r *registry) come(c policy.Color, n int) {
	in := r.sides.At(c)
	for range n {
		in.last++
		in.ready = append(in.ready, in.last)
	}
}

// leave takes instances away, and says how many of them were there.
func (r *registry) leave(c policy.Color, gone []rollout.Endpoint) int {
	in := r.sides.At(c)
	before := len(in.ready)
	in.ready = slices.DeleteFunc(slices.Clone(in.ready), func(n int) bool {
		return slices.ContainsFunc(gone, func(e rollout.Endpoint) bool { return e.ID == r.id(c, n) && e.Version == in.version })
	})
	return before - len(in.ready)
}

func (r *registry) id(c policy.Color, n int) string { return fmt.Sprintf("%s-%s-%03d", r.model, c, n) }

// trouble makes the registry one that is not trusted, or, empty, one that is again.
func (r *registry) trouble(problem string, now time.Time) {
	if problem != "" && r.problem == "" {
		r.since = now
	}
	r.problem = problem
}

// answer is what the registry says.
func (r *registry) answer() rollout.EndpointSet {
	if r.fixed != nil {
		return *r.fixed
	}
	if r.problem != "" {
		stands := r.good
		stands.Problem, stands.Since = r.problem, r.since
		return stands
	}
	set := rollout.EndpointSet{Blue: r.endpoints(policy.Blue), Green: r.endpoints(policy.Green), Unready: map[policy.Color]int{}}
	for _, c := range policy.Colors {
		if n := r.sides.Of(c).unready; n > 0 {
			set.Unready[c] = n
		}
	}
	r.good = set
	return set
}

func (r *registry) endpoints(c policy.Color) []rollout.Endpoint {
	in, subnet := r.sides.Of(c), 1
	if c == policy.Green {
		subnet = 2
	}
	var out []rollout.Endpoint
	for _, n := range in.ready {
		out = append(out, rollout.Endpoint{
			ID: r.id(c, n), Address: fmt.Sprintf("10.%d.%d.%d", subnet, n/250, n%250+1), Port: 8080, Weight: 1, Version: in.version,
		})
	}
	slices.SortFunc(out, func(a, b rollout.Endpoint) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
