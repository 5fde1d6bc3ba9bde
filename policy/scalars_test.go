package policy_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"greenlight/policy"
)

// with parses the shortest policy with one more line in its spec.
func with(line string) (*policy.Model, []policy.Problem) {
	models, _, problems := policy.Parse("a.yaml", []byte(model("fraud", "a")+"  "+line+"\n"), "")
	if len(models) == 0 {
		return nil, problems
	}
	return models[0], problems
}

// Every weight comes back from each of the ways to write it.
func TestWeightsComeBack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := policy.Weight(rapid.IntRange(0, int(policy.Full)).Draw(r, "weight"))
		text := rapid.SampledFrom([]string{
			want.String(),
			strconv.FormatFloat(float64(want)/100, 'f', -1, 64),
			fmt.Sprintf("%.2f%%", float64(want)/100),
			fmt.Sprintf("%q", want.String()),
		}).Draw(r, "text")
		m, problems := with("rollback: {endpointsBelow: " + text + "}")
		if m == nil || m.Rollback.EndpointsBelow != want {
			r.Fatalf("%s: %v %v", text, m, problems)
		}
	})
}

// No other number is a weight.
func TestWhatIsNoWeight(t *testing.T) {
	for text, rule := range map[string]string{
		"100.01%": policy.RuleWeightRange, "101": policy.RuleWeightRange, "65536%": policy.RuleWeightRange,
		"999999999": policy.RuleWeightRange, "-1": policy.RuleWeightRange, "-0.5%": policy.RuleWeightRange,
		"5.123": policy.RuleWeightSyntax, ".5": policy.RuleWeightSyntax, "5.": policy.RuleWeightSyntax,
		"1e1": policy.RuleWeightSyntax, "5 %": policy.RuleWeightSyntax, "0x10": policy.RuleWeightSyntax,
		"1_0": policy.RuleWeightSyntax, ".inf": policy.RuleWeightSyntax, "99999999999999999999": policy.RuleWeightSyntax,
		"[5%]": policy.RuleWrongType, "{}": policy.RuleWrongType, "~": policy.RuleEmptyValue,
	} {
		m, problems := with("rollback: {endpointsBelow: " + text + "}")
		if m != nil || len(problems) != 1 || problems[0].Rule != rule {
			t.Errorf("%s: %v, want %s", text, problems, rule)
		}
	}
}

// Durations come back as Go writes them, if they are in range.
func TestDurationsComeBack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := time.Duration(rapid.Int64Range(-int64(time.Hour), int64(1000*time.Hour)).Draw(r, "duration"))
		m, problems := with("bake: {for: " + want.String() + "}")
		switch inRange := want >= 0 && want <= 720*time.Hour; {
		case inRange && (m == nil || m.Bake.For != want):
			r.Fatalf("%s: %v", want, problems)
		case !inRange && (m != nil || problems[0].Rule != policy.RuleDurationRange):
			r.Fatalf("%s is out of range, but: %v", want, problems)
		}
	})
}

// A linear shift is the steps that somebody would write by hand.
func TestLinearSteps(t *testing.T) {
	for by, want := range map[string]string{
		"50%":   "[{50% 1m0s} {100% 0s}]",
		"30%":   "[{30% 1m0s} {60% 1m0s} {90% 1m0s} {100% 0s}]",
		"33.4":  "[{33.4% 1m0s} {66.8% 1m0s} {100% 0s}]",
		"100%":  "[{100% 0s}]",
		"99.5%": "[{99.5% 1m0s} {100% 0s}]",
	} {
		m, problems := with("shift: {linear: {by: " + by + ", every: 1m}}")
		if m == nil || fmt.Sprint(m.Shift) != want {
			t.Errorf("by %s: %v, want %s", by, problems, want)
		}
	}
	if m, problems := with("shift: {linear: {by: 1%, every: 1m}}"); m == nil || len(m.Shift) != 100 {
		t.Errorf("by 1%%: %v", problems)
	}
}

// A misspelt key is told once, with the key that was meant; what is missing
// because of it is not told again.
func TestMisspeltKeys(t *testing.T) {
	for line, meant := range map[string]string{
		"bakee: {}": "bake", "Bake: {}": "bake", "valdiate: []": "validate", "roll-back: {}": "rollback",
		"confirm: {whitin: 3s}": "within", "confirm: {withinn: 3s}": "within", "shift: {step: [100%]}": "steps",
	} {
		_, problems := with(line)
		hint := "(did you mean " + meant + "?)"
		found := 0
		for _, p := range problems {
			if p.Rule == policy.RuleUnknownKey && strings.Contains(p.Message, hint) {
				found++
			}
		}
		if found != 1 || len(problems) != 1 {
			t.Errorf("%s: %v, want one with %s", line, problems, hint)
		}
	}
}
