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
	fixed   *rollout.EndpointSet // the answer, but for who moved; nil if it is that of sides
	moved   moved
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
	in.ready = slices.DeleteFunc(slices.Clone(in.ready), func(n int) bool { return r.is(c, n, gone) })
	return before - len(in.ready)
}

// missing is how many of those instances are not there.
func (r *registry) missing(c policy.Color, all []rollout.Endpoint) int {
	n := len(all)
	for _, there := range r.sides.Of(c).ready {
		if r.is(c, there, all) {
			n--
		}
	}
	return n
}

// is reports whether the instance of that number is one of all.
func (r *registry) is(c policy.Color, n int, all []rollout.Endpoint) bool {
	return among(all, rollout.Endpoint{ID: r.id(c, n), Version: r.sides.Of(c).version})
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
	problem, since := r.problem, r.since
	if r.fixed != nil {
		problem, since = r.fixed.Problem, r.fixed.Since
	}
	if problem != "" {
		stands := r.good
		stands.Problem, stands.Since = problem, since
		return stands
	}
	if r.fixed != nil {
		r.good = r.moved.in(*r.fixed)
		return r.good
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
