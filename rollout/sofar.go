package rollout

import "fmt"

// SoFar is what users' requests, or copies of them, say of the running switch
// since the present weights, in one sentence; empty while the target answers none.
func (s State) SoFar() string {
	if s.Switch == nil {
		return ""
	}
	t := &turn{s: s}
	rules := t.plan().Judge
	if rules.Off || !t.exposed() && s.Phase != Shadowing {
		return ""
	}
	f := t.finding()
	if s.Phase == Shadowing {
		f = s.Judging.Test.Finding(judgeConfig(rules, shadowShare))
	}
	idle := s.Judging.Idle
	what := "request"
	if s.Phase == Shadowing {
		what = "mirrored request"
	}
	word := "no worse so far"
	switch {
	case idle.Requests == 0:
		return fmt.Sprintf("nothing yet: %s was seen to answer no %s", s.Switch.To, what)
	case f.Worse:
		word = "worse"
	case f.Suspicious:
		word = "not decided yet"
	case t.blind():
		word = fmt.Sprintf("compared with nothing, %s was seen to answer too little before it", s.Switch.From)
	case idle.Requests < rules.MinRequests:
		word = fmt.Sprintf("too little yet, it takes %s", count(rules.MinRequests, "request"))
	}
	text := fmt.Sprintf("%s: %s failed %s of %s%s", word, s.Switch.To, share100(idle.errorRate()), count(idle.Requests, what), t.against())
	if f.IdleLatency > 0 && f.LiveLatency > 0 {
		text += fmt.Sprintf(", p%g %s against %s", f.Quantile*100, seconds(f.IdleLatency), seconds(f.LiveLatency))
	}
	if f.Needed > 0 {
		text += fmt.Sprintf(" (evidence %s, %s is enough)", odds(f.Evidence), odds(f.Needed))
	}
	return text
}

// blind reports whether the target has all users and there is too little of the old
// color's to compare it with.
func (t *turn) blind() bool {
	return t.s.Weights == AllOn(t.s.Switch.To) && t.s.Judging.Alone.Blind()
}

// against is what the old color did at the same time, or before if it has no
// users any more.
func (t *turn) against() string {
	live, before := t.s.Judging.Live, ""
	requests, failed := live.Requests, live.errorRate()
	if t.s.Weights == AllOn(t.s.Switch.To) {
		f := t.finding()
		requests, failed, before = f.LiveRequests, f.LiveErrors, " before it"
	}
	if requests == 0 {
		return ""
	}
	return fmt.Sprintf(" against %s of %d of %s%s", share100(failed), requests, t.s.Switch.From, before)
}

// errorRate is the share of a's requests that failed, 0 to 1.
func (a Answered) errorRate() float64 {
	if a.Requests == 0 {
		return 0
	}
	return float64(a.Errors) / float64(a.Requests)
}
