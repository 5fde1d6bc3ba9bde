package scenario

import (
	"fmt"
	"strings"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/simulate"
)

// Difference is what was expected and what was got.
type Difference struct {
	Field    string `json:"field"`
	Expected string `json:"expected"`
	Got      string `json:"got"`
}

// seen is a moment of a world.
type seen struct {
	world   *simulate.World
	refused *rollout.Refuse // of the entry's command
}

// differences is how what is there differs from what e expects; none if it does not.
func (e *rawExpect) differences(s seen) []Difference {
	w, st := s.world, s.world.State()
	var out []Difference
	differ := func(field string, same bool, expected, got any) {
		if !same {
			out = append(out, Difference{field, fmt.Sprint(expected), orNothing(fmt.Sprint(got))})
		}
	}
	says := func(field string, want *text, got func() string) {
		if want != nil {
			sentence := got()
			differ(field, want.in(sentence), *want, sentence)
		}
	}
	if e.Phase != nil {
		differ("phase", rollout.Phase(*e.Phase) == st.Phase, *e.Phase, st.Phase)
	}
	if e.Live != nil {
		differ("live", policy.Color(*e.Live) == st.Live, *e.Live, st.Live)
	}
	if e.Version != nil {
		got := strings.Join(st.Facts.Endpoints.Versions(st.Live), ", ")
		differ("version", *e.Version == got, *e.Version, got)
	}
	if e.Weights != nil {
		differ("weights", e.Weights.are(st.Weights), e.Weights, weightsText(st.Weights))
	}
	if e.Mirror != nil {
		differ("mirror", policy.Weight(*e.Mirror) == st.Mirror.Percent, policy.Weight(*e.Mirror), st.Mirror.Percent)
	}
	sw := rollout.Switch{}
	if st.Switch != nil {
		sw = *st.Switch
	}
	if e.Outcome != nil {
		differ("outcome", *e.Outcome == outcomeOf(st), *e.Outcome, outcomeOf(st))
	}
	says("cause", e.Cause, func() string { return sw.Cause })
	says("reason", e.Reason, func() string { return lastReason(sw) })
	if e.Actor != nil {
		differ("actor", *e.Actor == sw.Actor, *e.Actor, sw.Actor)
	}
	if e.To != nil {
		differ("to", policy.Color(*e.To) == sw.To, *e.To, sw.To)
	}
	says("problem", e.Problem, func() string { return st.Problem })
	says("waits", e.Waits, func() string { return st.Queued.Why })
	says("drift", e.Drift, func() string { return st.Drift(w.Policy()) })
	says("judgement", e.Judgement, st.SoFar)
	says("refused", e.Refused, func() string {
		if s.refused == nil {
			return ""
		}
		return s.refused.Message
	})
	says("policyProblem", e.PolicyProblem, w.PolicyProblem)
	if e.Returnable != nil {
		r := st.Readiness()
		differ("returnable", *e.Returnable == r.Ready, *e.Returnable, strings.TrimSuffix(fmt.Sprintf("%t: %s", r.Ready, r.Why), ": "))
	}
	if e.Transitions != nil {
		expected, got, same := transitions(e.Transitions, sw)
		differ("transitions", same, expected, got)
	}
	return out
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

func (w *rawWeights) are(got rollout.Weights) bool {
	return (w.Blue == nil || policy.Weight(*w.Blue) == got.Blue) && (w.Green == nil || policy.Weight(*w.Green) == got.Green)
}

// String is the weights in words.
func (w *rawWeights) String() string {
	var out []string
	if w.Blue != nil {
		out = append(out, "blue "+policy.Weight(*w.Blue).String())
	}
	if w.Green != nil {
		out = append(out, "green "+policy.Weight(*w.Green).String())
	}
	return strings.Join(out, ", ")
}

func weightsText(w rollout.Weights) string {
	return "blue " + w.Blue.String() + ", green " + w.Green.String()
}

func outcomeOf(s rollout.State) ending {
	switch {
	case s.Switch == nil:
		return noSwitch
	case s.Switch.Outcome == "":
		return stillRuns
	default:
		return ending(s.Switch.Outcome)
	}
}

func lastReason(sw rollout.Switch) string {
	if n := len(sw.Transitions); n > 0 {
		return sw.Transitions[n-1].Reason
	}
	return ""
}

// transitions compares all that a switch went through with what was expected.
func transitions(want []rawTransition, sw rollout.Switch) (expected, got string, same bool) {
	var wanted, had []string
	for _, t := range want {
		wanted = append(wanted, t.String())
	}
	same = len(want) == len(sw.Transitions)
	for i, tr := range sw.Transitions {
		as := rawTransition{Phase: new(phase), Weight: new(weight)}
		*as.Phase, *as.Weight = phase(tr.To), weight(tr.Weights.Of(sw.To))
		if i < len(want) {
			if want[i].Weight == nil {
				as.Weight = nil
			}
			same = same && want[i].is(tr, sw.To)
		}
		text := as.String()
		if i < len(want) && want[i].Reason != nil {
			text += fmt.Sprintf(" (%s)", tr.Reason)
		}
		had = append(had, text)
	}
	return strings.Join(wanted, ", "), strings.Join(had, ", "), same
}

func (t rawTransition) is(tr rollout.Transition, to policy.Color) bool {
	return rollout.Phase(*t.Phase) == tr.To && (t.Weight == nil || policy.Weight(*t.Weight) == tr.Weights.Of(to)) &&
		(t.Reason == nil || t.Reason.in(tr.Reason))
}

// String is a transition as it is written.
func (t rawTransition) String() string {
	out := string(*t.Phase)
	if t.Weight != nil {
		out += " " + policy.Weight(*t.Weight).String()
	}
	if t.Reason != nil {
		out += fmt.Sprintf(" (%s)", t.Reason)
	}
	return out
}
