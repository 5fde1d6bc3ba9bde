package cli

import (
	"fmt"
	"time"

	"greenlight/api/adminv1"
)

// goal is what a waiting command waits for.
type goal int

const (
	succeed  goal = iota // the switch succeeds
	goBack               // the switch has ended and all traffic is back
	stand                // the switch is paused, and every node runs the weights that stand
	practise             // the drill is over
)

// verdict is how waiting ended.
type verdict struct {
	ok   bool
	text string
}

// judge says whether waiting for switch id is over; nil means that it is not.
// The id is that of the switch in m, see follow.
func (g goal) judge(m *adminv1.ModelStatus) *verdict {
	st := m.GetState()
	sw := st.GetSwitch()
	switch {
	case m.GetPolicy() == nil:
		return &verdict{text: fmt.Sprintf("nobody drives switch %s any more: %s", sw.GetId(), m.GetPolicyProblem())}
	case g == practise:
		return judgeDrill(m)
	case st.GetPhase() == adminv1.Phase_PHASE_HELD && (st.GetBack() == "" || g != goBack):
		return &verdict{text: heldText(m)}
	case running(st.GetPhase()):
		return g.judgePaused(m)
	case sw.GetOutcome() == adminv1.Outcome_OUTCOME_UNSPECIFIED:
		return nil
	default:
		return g.judgeEnded(sw)
	}
}

func running(p adminv1.Phase) bool {
	return p != adminv1.Phase_PHASE_IDLE && p != adminv1.Phase_PHASE_RETIRING
}

func heldText(m *adminv1.ModelStatus) string {
	why := m.GetState().GetProblem()
	if why == "" {
		why = m.GetState().GetSwitch().GetCause()
	}
	return fmt.Sprintf("switch %s needs a person (%s): %s", m.GetState().GetSwitch().GetId(), weightWords(m.GetState().GetWeights()), why)
}

// judgePaused ends the wait of a pause; all others wait on for a running switch.
func (g goal) judgePaused(m *adminv1.ModelStatus) *verdict {
	st, r := m.GetState(), m.GetReport()
	if g != stand || st.GetPhase() != adminv1.Phase_PHASE_PAUSED || !st.GetReportKnown() {
		return nil
	}
	if n := r.GetRejected(); len(n) > 0 {
		return &verdict{text: fmt.Sprintf("switch %s is paused, but node %s rejected its %s: %s",
			st.GetSwitch().GetId(), n[0].GetNode(), n[0].GetType(), n[0].GetReason())}
	}
	if !r.GetSettled() || r.GetGeneration() != st.GetGeneration() || r.GetAcked() < r.GetConnected() {
		return nil
	}
	return &verdict{ok: true, text: fmt.Sprintf("switch %s is paused: %s on %s",
		st.GetSwitch().GetId(), weightWords(st.GetWeights()), plural(r.GetConnected(), "node"))}
}

// judgeEnded is the verdict on a switch that has an outcome.
func (g goal) judgeEnded(sw *adminv1.Switch) *verdict {
	took := ""
	if sw.GetEnded() != nil {
		took = " after " + span(sw.GetEnded().AsTime().Sub(sw.GetStarted().AsTime()))
	}
	cause := ""
	if sw.GetCause() != "" {
		cause = ": " + sw.GetCause()
	}
	from, to := colorWord(sw.GetFrom()), colorWord(sw.GetTo())
	switch sw.GetOutcome() {
	case adminv1.Outcome_OUTCOME_SUCCEEDED:
		return &verdict{g == succeed || g == goBack && sw.GetUndoes() != "", fmt.Sprintf("switch %s succeeded%s: %s is live", sw.GetId(), took, withVersion(to, sw.GetToVersion()))}
	case adminv1.Outcome_OUTCOME_ROLLED_BACK:
		return &verdict{g == goBack, fmt.Sprintf("switch %s was rolled back%s, %s is live%s", sw.GetId(), took, from, cause)}
	case adminv1.Outcome_OUTCOME_ABORTED:
		return &verdict{g == goBack, fmt.Sprintf("switch %s was aborted%s, no user met %s%s", sw.GetId(), took, to, cause)}
	default:
		return &verdict{g == goBack, fmt.Sprintf("switch %s was refused%s, no user met %s%s", sw.GetId(), took, to, cause)}
	}
}

// redrawEvery is how often a terminal's line is drawn anew, for its countdown.
const redrawEvery = time.Second
