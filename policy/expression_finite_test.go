package policy_test

import (
	"strings"
	"testing"

	"greenlight/policy"
)

// What is divided by 0, or is too large, opens no gate and closes none.
func TestExpressionsThatCantBeComputed(t *testing.T) {
	figures := map[string]float64{"a.one": 1, "a.zero": 0, "a.big": 1e308}
	eval := func(text string) (bool, error) {
		t.Helper()
		e, err := policy.CompileExpression(text, []string{"a.one", "a.zero", "a.big"})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return e.Eval(figures)
	}
	for _, text := range []string{
		"a.one / a.zero > 1.0", "-a.one / a.zero < 1.0", "a.zero / a.zero <= 1.0", "!(a.zero / a.zero > 1.0)",
		"a.zero / a.zero != 1.0", "a.big * a.big > 1.0", "a.big + a.big > 1.0", "-a.big - a.big < 1.0",
		"!(math.sqrt(a.zero - a.one) > 1.0)",
		"double('NaN') != a.one", "double('Infinity') > a.one", "math.abs(a.one / a.zero) > 1.0",
	} {
		truth, err := eval(text)
		if err == nil {
			t.Errorf("%s is %t; want an error", text, truth)
		} else if !strings.Contains(err.Error(), "division by 0") {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"a.zero == 0.0 || a.one / a.zero < 2.0", "a.zero > 0.0 ? a.one / a.zero < 2.0 : true", "math.sqrt(a.one) == 1.0"} {
		if truth, err := eval(text); err != nil || !truth {
			t.Errorf("%s: %t %v", text, truth, err)
		}
	}
}
