package rollout

import (
	"slices"

	"greenlight/policy"
)

// ColorHeader is the response header by which the fleets tell which color answered.
const ColorHeader = "x-greenlight-color"

// throughRoute is the suffix of the names of checks that go through the fleets'
// own route. No check of a policy can have such a name.
const throughRoute = " through the route"

// RouteChecks are the golden checks of the validation, as they are run once more
// at full weight: through the fleets' entries, where users' requests go.
func RouteChecks(p *policy.Model) []policy.Check {
	var out []policy.Check
	for _, c := range p.Validate {
		if c.Golden == nil {
			continue
		}
		c.Name += throughRoute
		// What can't be reached from here may be reached by users all the same.
		c.OnInconclusive = policy.InconclusivePasses
		out = append(out, c)
	}
	return out
}

// walkRoute sends known requests the way that users' requests go, once, when the
// target has full weight and the nodes are there. Where the fleets' entries are not known
// there is no such way.
func (t *turn) walkRoute() {
	if t.s.Walked || t.s.CheckRun != 0 || !t.s.Facts.EndpointsKnown || !t.s.Facts.heard(t.s.Generation) {
		return
	}
	checks, entries := RouteChecks(t.plan()), t.s.Facts.Report.Entries
	t.s.Walked = true
	if len(checks) == 0 || len(entries) == 0 {
		return
	}
	t.runChecks(StageRoute, checks)
	t.s.WalkRun = t.s.CheckRun
	last := &t.actions[len(t.actions)-1]
	run, _ := (*last).(RunChecks)
	run.Through = slices.Clone(entries)
	*last = run
}

// judgeWalk goes back when a known request got a wrong answer, or the other
// color's, through the route itself.
func (t *turn) judgeWalk(verdicts []Verdict) {
	t.s.WalkRun = 0
	r := rule(RouteChecks(t.plan()), policy.InconclusivePasses, verdicts)
	if r.failed != "" {
		t.stop(r.failed)
		return
	}
	t.s.NextCheck = t.now.Add(t.plan().Bake.Every)
}
