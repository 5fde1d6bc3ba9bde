package rollout

import (
	"fmt"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
	"greenlight/rollout/judge"
)

// limit is one absolute rule: at most Share of the requests may be bad, or slower than Over.
type limit struct {
	name  string
	share float64
	over  time.Duration // 0: failed ones are meant
	text  string
}

func limitsOf(j policy.Judge) []limit {
	var out []limit
	if j.Errors.Max != nil {
		out = append(out, limit{name: "errorRate", share: *j.Errors.Max, text: fmt.Sprintf("an error rate below %s", share100(*j.Errors.Max))})
	}
	for _, m := range j.Latency.Max {
		name := fmt.Sprintf("p%g", m.Quantile*100)
		out = append(out, limit{name: name, share: 1 - m.Quantile, over: m.Max, text: fmt.Sprintf("a %s below %s", name, calendar.PlainDuration(m.Max))})
	}
	return out
}

// bad is how many of a color's requests in one window break the limit's bound.
func (l limit) bad(t Tally, j policy.Judge) (bad, all int) {
	if l.over > 0 {
		return t.Latency.Above(l.over.Seconds()), t.Latency.Count()
	}
	return failed(t, j), t.Requests
}

// counted is "1200 requests failed" or "1200 requests took longer than 300ms".
func (l limit) counted(n int) string {
	if l.over > 0 {
		return count(n, "request") + " took longer than " + calendar.PlainDuration(l.over)
	}
	return count(n, "request") + " failed"
}

func (t *turn) lookAtLimits(target Tally) {
	rules := t.plan().Judge
	all := limitsOf(rules)
	j := &t.s.Judging
	next := make([]judge.Limit, len(all))
	copy(next, j.Limits)
	for i, l := range all {
		bad, n := l.bad(target, rules)
		next[i] = next[i].Look(bad, n, l.share)
	}
	if len(next) > 0 {
		j.Limits = next
	}
}

func (t *turn) limitBroken() string {
	j := t.s.Judging
	for i, l := range limitsOf(t.plan().Judge) {
		if i < len(j.Limits) && j.Limits[i].Broken(rarelyOff) {
			return fmt.Sprintf("%s breaks its limit of %s: %s of %s", t.s.Switch.To, l.text,
				share100(j.Limits[i].Rate()), l.counted(j.Limits[i].Requests()))
		}
	}
	return ""
}
