package store_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/store"
)

// measured is a verdict with details that say what it was measured for.
func measured(check, note string, after time.Duration) rollout.Verdict {
	half := 0.5
	return rollout.Verdict{
		Check: check, Kind: "quality", Result: rollout.Inconclusive, Summary: note, At: began.Add(after),
		Measures: []rollout.Measure{{Name: "accuracy", Idle: &half, Difference: &rollout.Interval{Low: -1, High: 1}}},
		Detail: &rollout.Detail{
			Charts: []rollout.Chart{{Series: []rollout.Series{{Name: "idle", X: make([]float64, 512), Y: make([]float64, 512)}}}},
			Notes:  []string{note},
		},
	}
}

func save(t testing.TB, s *store.Store, id, stage string, verdicts ...rollout.Verdict) {
	t.Helper()
	if err := s.SaveVerdicts(id, stage, verdicts); err != nil {
		t.Fatal(err)
	}
}

// shape is the stages of a report with their verdicts' checks and summaries.
func shape(a *rollout.Assessment) (out []string) {
	for _, st := range a.Stages {
		for _, v := range st.Verdicts {
			out = append(out, st.Name+" "+v.Check+" "+v.Summary)
		}
	}
	return out
}

func TestReport(t *testing.T) {
	path := journal(t)
	s := open(t, path)
	st := state("fraud", 1)
	st.Switch.FromVersion, st.Switch.ToVersion = "v1", "v2"
	st.Switch.Plan.Validate = []policy.Check{{Name: "ready"}, {Name: "golden"}, {Name: "drift"}}
	st.Switch.Plan.StepChecks.Checks = []policy.Check{{Name: "golden"}, {Name: "errors"}}
	commit(t, s, st, state("fraud", 12))
	id := st.Switch.ID
	save(t, s, id, "bake", measured("golden", "late", 9*time.Minute))
	save(t, s, id, rollout.StageRoute, measured("golden through the route", "", 0))
	save(t, s, id, rollout.StageShadow, measured(rollout.JudgementCheck, "", 0))
	save(t, s, id, "100%", measured("golden", "", 0))
	save(t, s, id, "50%", measured("errors", "", 0), measured("golden", "", 0))
	save(t, s, id, "7.5%", measured("golden", "", 0))
	save(t, s, id, "validate", measured("golden", "older", 0), measured("ready", "older", 0), measured("drift", "older", 0))
	save(t, s, id, "validate", measured("ready", "newer", 0), measured("golden", "newer", 0))
	save(t, s, "fraud-000012", "validate", measured("golden", "of another", 0))
	want := []string{
		"validate ready newer", "validate golden newer", "validate drift older",
		"shadow user traffic ", "7.5% golden ", "50% golden ", "50% errors ", "100% golden ",
		"route golden through the route ", "bake golden late",
	}
	for range 2 { // and once more after a restart
		a, err := s.Report(id)
		if err != nil {
			t.Fatal(err)
		}
		if got := shape(a); !slices.Equal(got, want) {
			t.Errorf("report %q", got)
		}
		if !reflect.DeepEqual(a.Stages[0].Verdicts[0], measured("ready", "newer", 0)) {
			t.Errorf("verdict %+v", a.Stages[0].Verdicts[0])
		}
		target := rollout.Target{Idle: "green", IdleVersion: "v2", Live: "blue", LiveVersion: "v1"}
		if a.Model != "fraud" || a.Switch.ID != id || a.Target != target || !a.At.Equal(began.Add(9*time.Minute)) {
			t.Errorf("report of %s at %s: %+v", a.Model, a.At, a.Target)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, path)
	}
	if a, err := s.Report("none"); a != nil || err != nil {
		t.Errorf("a report of an unknown switch: %+v, %v", a, err)
	}
}

// A switch of which nothing was measured yet has a report that says so.
func TestReportOfNothing(t *testing.T) {
	s := open(t, journal(t))
	commit(t, s, state("fraud", 1))
	a, err := s.Report("fraud-000001")
	if err != nil || len(a.Stages) != 0 || a.Switch == nil || !a.At.Equal(a.Switch.Started) {
		t.Errorf("%+v, %v", a, err)
	}
}

// Reports go with their switches, and come with none.
func TestReportsAreForgotten(t *testing.T) {
	path := journal(t)
	s := open(t, path)
	save(t, s, "fraud-000000", "validate", measured("golden", "too early", 0))
	for n := range store.Keep {
		commit(t, s, state("fraud", n))
	}
	for n := range 3 {
		save(t, s, fmt.Sprintf("fraud-%06d", n), "validate", measured("golden", "", 0), measured("ready", "", 0))
	}
	commit(t, s, state("fraud", store.Keep), state("fraud", store.Keep+1))
	save(t, s, "fraud-000000", "bake", measured("golden", "too late", 0))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var kept []string
	edit(t, path, func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("reports")).ForEach(func(k, _ []byte) error {
			kept = append(kept, strings.ReplaceAll(string(k), "\x00", " "))
			return nil
		})
	})
	if want := []string{"fraud-000002 validate golden", "fraud-000002 validate ready"}; !slices.Equal(kept, want) {
		t.Errorf("kept %q", kept)
	}
}

// A number that JSON can't say costs the details and not the verdict.
func TestReportKeepsAVerdictWithoutItsDetails(t *testing.T) {
	s := open(t, journal(t))
	commit(t, s, state("fraud", 1))
	v := measured("quality", "all well", 0)
	v.Detail.Charts[0].Series[0].Y[7] = math.NaN()
	save(t, s, "fraud-000001", "validate", v)
	a, err := s.Report("fraud-000001")
	if err != nil {
		t.Fatal(err)
	}
	got := a.Stages[0].Verdicts[0]
	if got.Summary != "all well" || len(got.Detail.Charts) != 0 || !strings.Contains(got.Detail.Notes[0], "NaN") {
		t.Errorf("kept %+v", got)
	}
	if v.Detail.Charts == nil {
		t.Error("the verdict was changed")
	}
	v.Figures = map[string]float64{"rows": math.Inf(1)}
	if err := s.SaveVerdicts("fraud-000001", "validate", []rollout.Verdict{v}); err == nil || !strings.Contains(err.Error(), "quality") {
		t.Errorf("an infinite figure: %v", err)
	}
}

// A journal of before reports opens, and has room for them from then on.
func TestOpenAddsReports(t *testing.T) {
	path := journal(t)
	s := open(t, path)
	commit(t, s, state("fraud", 1))
	s.Close()
	edit(t, path, func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("reports")) })
	s = open(t, path)
	if a, err := s.Report("fraud-000001"); err != nil || len(a.Stages) != 0 {
		t.Errorf("%+v, %v", a, err)
	}
	save(t, s, "fraud-000001", "validate", measured("golden", "", 0))
	if a, err := s.Report("fraud-000001"); err != nil || len(a.Stages) != 1 {
		t.Errorf("%+v, %v", a, err)
	}
}

// A damaged entry is an error of its own report, and of nothing else.
func TestDamagedReport(t *testing.T) {
	for name, value := range map[string]string{
		"empty": "", "noise": "\xde\xad\xbe\xef", "no JSON": packed(t, "{"), "cut": packed(t, `{"check":"golden"}`)[:20],
	} {
		t.Run(name, func(t *testing.T) {
			path := journal(t)
			s := open(t, path)
			commit(t, s, state("fraud", 1), state("fraud", 2))
			save(t, s, "fraud-000001", "validate", measured("golden", "", 0), measured("ready", "", 0))
			save(t, s, "fraud-000002", "validate", measured("golden", "", 0))
			s.Close()
			edit(t, path, func(tx *bolt.Tx) error {
				return tx.Bucket([]byte("reports")).Put([]byte("fraud-000001\x00validate\x00ready"), []byte(value))
			})
			s = open(t, path)
			if a, err := s.Report("fraud-000001"); err == nil || !strings.Contains(err.Error(), "fraud-000001: stage validate, check ready") {
				t.Errorf("%+v, %v", a, err)
			}
			if a, err := s.Report("fraud-000002"); err != nil || len(a.Stages) != 1 {
				t.Errorf("its neighbor: %+v, %v", a, err)
			}
			// The next run puts a good one in its place.
			save(t, s, "fraud-000001", "validate", measured("ready", "", 0))
			if a, err := s.Report("fraud-000001"); err != nil || len(a.Stages[0].Verdicts) != 2 {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
}

func packed(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
