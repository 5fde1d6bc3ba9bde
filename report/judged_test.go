package report_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/report"
	"greenlight/rollout"
)

// judgement is what users' traffic said at one stage.
func judgement(r rollout.Result, summary string, idle, live float64) rollout.Verdict {
	rate := rollout.Measure{
		Name: "error rate", Idle: ptr(idle), Live: ptr(live), Rule: "not worse than live (sequential, at every moment)", Result: r,
	}
	if r == rollout.Fail {
		rate.Why = summary
	}
	return rollout.Verdict{
		Check: rollout.JudgementCheck, Kind: "judge", Result: r, Summary: summary, Took: 10 * time.Minute, At: day,
		Measures: []rollout.Measure{
			rate,
			{Name: "p99", Unit: "s", Idle: ptr(0.0412), Live: ptr(0.0398), Rule: "not more than 1.1 times live (sequential, at every moment)", Result: rollout.Pass},
			{Name: "beyond p99", Idle: ptr(0.002), Rule: "at most 1%: a p99 below 300ms", Result: rollout.Pass},
		},
		Figures: map[string]float64{"requests.idle": 3000, "requests.live": 57000, "evidence": 412},
	}
}

// judged is a switch that users' traffic sent back.
func judged() rollout.Assessment {
	a := sample()
	a.Switch.Outcome, a.Switch.Cause = rollout.RolledBack, "users' traffic: green fails more often than blue"
	a.Switch.Plan = policy.Model{Validate: []policy.Check{{Name: "golden", Golden: &policy.GoldenCheck{}}}}
	bad := judgement(rollout.Fail, "green fails more often than blue: 3% of 3000 requests against 1% of 57000 (evidence 412 to 1, 200 to 1 is enough)", 0.03, 0.01)
	bad.Evidence = []rollout.Evidence{{Endpoint: "green 10.0.0.7:8080", Got: "88 of 1500 requests failed"}}
	walk := golden()
	walk.Check, walk.Result, walk.Summary = "golden through the route", rollout.Inconclusive, "the listener can't be reached from here"
	a.Stages = []rollout.Stage{
		{Name: rollout.StageValidate, Verdicts: []rollout.Verdict{golden()}},
		{Name: rollout.StageShadow, Verdicts: []rollout.Verdict{judgement(rollout.Pass, "green is no worse than blue: 1% of 3000 requests failed against 1% of 57000 of blue", 0.01, 0.01)}},
		{Name: "5%", Verdicts: []rollout.Verdict{judgement(rollout.Inconclusive, "green was seen to answer only 3 requests", 0, 0)}},
		{Name: rollout.StageRoute, Verdicts: []rollout.Verdict{walk}},
		{Name: rollout.StageBake, Verdicts: []rollout.Verdict{bad}},
	}
	return a
}

func TestPageOfAJudgedSwitch(t *testing.T) {
	got := body(write(t, judged()))
	const golden = "testdata/judged.html"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page is not %s; look at the difference after go test ./report -update:\n%s", golden, got)
	}
}

// Thin traffic casts a doubt on a switch only where the policy asks for its word,
// and a way through the route that nobody can go never does.
func TestWhatLetsThinTrafficPass(t *testing.T) {
	for name, tt := range map[string]struct {
		judge policy.Judge
		want  string
	}{
		"not asked":        {policy.Judge{}, "pass"},
		"asked to promote": {policy.Judge{Asked: true, Otherwise: policy.ThinPromote}, "pass"},
		"asked to hold":    {policy.Judge{Asked: true, Otherwise: policy.ThinHold}, "inconclusive"},
	} {
		t.Run(name, func(t *testing.T) {
			a := judged()
			a.Stages = a.Stages[:4] // all but the failure
			a.Switch.Plan.Judge = tt.judge
			page, err := report.HTML(a)
			if err != nil {
				t.Fatal(err)
			}
			if want := "All checks together: <strong>" + tt.want + "</strong>"; !strings.Contains(string(page), want) {
				t.Errorf("the page lacks %s", want)
			}
		})
	}
}
