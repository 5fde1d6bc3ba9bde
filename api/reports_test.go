package api_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"greenlight/api"
	"greenlight/api/adminv1"
	"greenlight/rollout"
)

// assessed is a report with so many verdicts, each with a chart of so many points.
func assessed(verdicts, points int) rollout.Assessment {
	a := rollout.Assessment{Model: "fraud", Switch: &rollout.Switch{ID: "s1"}, Stages: []rollout.Stage{{Name: "validate"}}}
	for i := range verdicts {
		a.Stages[0].Verdicts = append(a.Stages[0].Verdicts, rollout.Verdict{
			Check: fmt.Sprintf("c%d", i), Result: rollout.Pass,
			Detail: &rollout.Detail{
				Charts: []rollout.Chart{{Series: []rollout.Series{{X: make([]float64, points), Y: make([]float64, points)}}}},
				Cases:  []rollout.Case{{Where: "holdout.csv:17"}},
				Notes:  []string{"every row"},
			},
		})
	}
	return a
}

// page is the size of the chart's points that a page draws, so that a page
// with large charts is a large page.
func page(a rollout.Assessment) ([]byte, error) {
	out := []byte("<html>")
	for _, st := range a.Stages {
		for _, v := range st.Verdicts {
			if v.Detail == nil {
				continue
			}
			for _, c := range v.Detail.Charts {
				out = append(out, make([]byte, 4*len(c.Series[0].X))...)
			}
			out = append(out, strings.Join(v.Detail.Notes, ";")...)
		}
	}
	return out, nil
}

func TestGetReport(t *testing.T) {
	s := serve(t, newModels("fraud"), &history{reports: map[string]rollout.Assessment{"s1": assessed(2, 3)}}, nil)
	got, err := s.client.GetReport(t.Context(), &adminv1.GetReportRequest{SwitchId: "s1", Html: true})
	if err != nil {
		t.Fatal(err)
	}
	verdicts := got.GetReport().GetStages()[0].GetVerdicts()
	if len(verdicts) != 2 || len(verdicts[1].GetDetail().GetCharts()[0].GetSeries()[0].GetX()) != 3 {
		t.Errorf("the report says %v", verdicts)
	}
	if !strings.HasPrefix(string(got.GetHtml()), "<html>") {
		t.Errorf("the page is %q", got.GetHtml())
	}
	if got, err = s.client.GetReport(t.Context(), &adminv1.GetReportRequest{SwitchId: "s1"}); err != nil || len(got.GetHtml()) > 0 {
		t.Errorf("unasked page of %d bytes, error %v", len(got.GetHtml()), err)
	}

	_, err = s.client.GetReport(t.Context(), &adminv1.GetReportRequest{SwitchId: "s2"})
	wantError(t, err, codes.NotFound, api.ReasonNoSwitch)
	_, err = s.client.GetReport(t.Context(), &adminv1.GetReportRequest{})
	wantError(t, err, codes.InvalidArgument, api.ReasonBadRequest)
	s.history.err = errors.New("disk on fire")
	_, err = s.client.GetReport(t.Context(), &adminv1.GetReportRequest{SwitchId: "s1"})
	wantError(t, err, codes.Unavailable, api.ReasonNotReadable)
}

// A report never is larger than a client takes: charts go first, and the notes say so.
func TestLargeReports(t *testing.T) {
	const limit = 4 << 20
	chart := 100_000 // points, of 16 bytes in the message and 4 in the page
	tests := map[string]struct {
		verdicts int
		html     bool
		message  bool // the message keeps its charts
		page     bool // the page does
		note     string
	}{
		"small":                    {2, false, true, false, ""},
		"small with a page":        {2, true, true, true, ""},
		"large":                    {4, false, false, false, "charts are left out, because"},
		"large with a page":        {4, true, false, true, "the page shows them"},
		"a page that is too large": {20, true, false, false, "charts are left out, because"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := assessed(tt.verdicts, chart)
			s := serve(t, newModels("fraud"), &history{reports: map[string]rollout.Assessment{"s1": a}}, nil)
			got, err := s.client.GetReport(t.Context(), &adminv1.GetReportRequest{SwitchId: "s1", Html: tt.html})
			if err != nil {
				t.Fatal(err)
			}
			if size := proto.Size(got); size > limit {
				t.Errorf("the message has %d bytes", size)
			}
			for _, v := range got.GetReport().GetStages()[0].GetVerdicts() {
				d := v.GetDetail()
				if has := len(d.GetCharts()) > 0; has != tt.message {
					t.Errorf("charts in the message: %v", has)
				}
				if len(d.GetCases()) == 0 {
					t.Error("the cases are gone, too")
				}
				if notes := strings.Join(d.GetNotes(), ";"); !strings.HasPrefix(notes, "every row") || !strings.Contains(notes, tt.note) {
					t.Errorf("the notes say %q", notes)
				}
			}
			if has := len(got.GetHtml()) > 4*chart; has != tt.page {
				t.Errorf("charts in the page: %v", has)
			}
			if len(a.Stages[0].Verdicts[0].Detail.Charts) != 1 || len(a.Stages[0].Verdicts[0].Detail.Notes) != 1 {
				t.Error("the report itself was cut")
			}
		})
	}
}

func TestReportsBeyondAllCuts(t *testing.T) {
	a := assessed(1, 1)
	a.Stages[0].Verdicts[0].Detail.Cases[0].Input = strings.Repeat("x", 5<<20)
	b := assessed(1, 1)
	b.Stages[0].Verdicts[0].Summary = strings.Repeat("x", 5<<20)
	s := serve(t, newModels("fraud"), &history{reports: map[string]rollout.Assessment{"a": a, "b": b}}, nil)
	got, err := s.client.GetReport(t.Context(), &adminv1.GetReportRequest{SwitchId: "a"})
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(got.GetReport().GetStages()[0].GetVerdicts()[0].GetDetail().GetNotes(), ";")
	if !strings.Contains(notes, "slices, charts and cases are left out") {
		t.Errorf("the notes say %q", notes)
	}
	_, err = s.client.GetReport(t.Context(), &adminv1.GetReportRequest{SwitchId: "b"})
	wantError(t, err, codes.ResourceExhausted, api.ReasonTooLarge)
}
