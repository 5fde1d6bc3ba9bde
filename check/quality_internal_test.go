package check

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"greenlight/policy"
	"greenlight/rollout"
)

// drawn makes up what both colors answered to some rows, one in a while not at all.
func drawn(t *rapid.T, same bool) (q *policy.QualityCheck, idle, live *answers, failed []bool, rows []int32) {
	n := rapid.IntRange(10, 80).Draw(t, "rows")
	not := &policy.NotWorse{Confidence: 0.95, Detect: rapid.SampledFrom([]float64{0, 0.03, 0.5}).Draw(t, "detect")}
	least := rapid.Float64Range(0, 1).Draw(t, "min")
	q = &policy.QualityCheck{K: 1, SliceRows: 10, Gates: []policy.Gate{
		{Metric: policy.Accuracy, Min: &least, NotWorse: not}, {Metric: policy.F1, NotWorse: not}, {Metric: policy.ROCAUC, NotWorse: not},
	}}
	truth := &truth{lines: make([]int, n), classes: newNumbered(maxClasses), class: make([]int32, n)}
	by := sliceRows{column: "c", values: newNumbered(maxSliceValues), of: make([]int32, n)}
	for _, word := range []string{"0", "1"} {
		truth.classes.number(word)
		by.values.number(word)
	}
	spec := policy.Answer{Positive: "1"}
	idle, live = newAnswers(q, spec, truth), newAnswers(q, spec, truth)
	idle.width, live.width = 1, 1
	idle.score, live.score, failed = make([]float64, n), make([]float64, n), make([]bool, n)
	bit := rapid.Int32Range(0, 1)
	for i := range n {
		truth.class[i], by.of[i] = bit.Draw(t, "truth"), bit.Draw(t, "slice")
		for _, a := range []*answers{idle, live} {
			a.label[i], a.score[i] = bit.Draw(t, "label"), float64(rapid.IntRange(0, 4).Draw(t, "score"))/4
		}
		if same {
			idle.label[i], idle.score[i] = live.label[i], live.score[i]
		} else if failed[i] = rapid.IntRange(0, 20).Draw(t, "fails") == 0; failed[i] {
			idle.label[i] = missing
		}
		rows = append(rows, int32(i))
	}
	truth.slices = []sliceRows{by}
	return q, idle, live, failed, rows
}

func TestOnlyWhatIsWhollyShownPasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, idle, live, failed, rows := drawn(t, false)
		j, err := judge(q, idle, live, failed, rows, context.Background().Err)
		if err != nil {
			t.Fatal(err)
		}
		if want := 4; len(j.measures) != want {
			t.Fatalf("%d measures of %d rules", len(j.measures), want)
		}
		fails, unknown := false, false
		for _, m := range j.measures {
			fails, unknown = fails || m.Result == rollout.Fail, unknown || m.Result == rollout.Inconclusive
			if m.Result == rollout.Pass && (m.Idle == nil || m.Why != "") {
				t.Fatalf("passes without a figure or with a reason: %+v", m)
			}
		}
		for _, s := range j.slices {
			for _, m := range s.measures {
				fails = fails || m.Result == rollout.Fail
			}
		}
		want := rollout.Pass
		switch {
		case fails:
			want = rollout.Fail
		case unknown:
			want = rollout.Inconclusive
		}
		if got := j.result(); got != want {
			t.Fatalf("result %s, want %s", got, want)
		}
	})
}

func TestTheSameModelIsNeverWorse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, idle, live, failed, rows := drawn(t, true)
		q.Gates[0].Min = nil
		j, err := judge(q, idle, live, failed, rows, context.Background().Err)
		if err != nil {
			t.Fatal(err)
		}
		if got := j.result(); got == rollout.Fail {
			t.Fatalf("fails: %s", j.summary(len(rows)))
		}
	})
}
