package api

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"greenlight/api/adminv1"
	"greenlight/rollout"
)

// GetReport implements adminv1.AdminServiceServer.
func (s *Server) GetReport(_ context.Context, r *adminv1.GetReportRequest) (*adminv1.GetReportResponse, error) {
	var v violations
	v.switchID("switch_id", r.GetSwitchId())
	if err := v.err(); err != nil {
		return nil, err
	}
	a, err := s.history.Report(r.GetSwitchId())
	if err != nil {
		return nil, notReadable(err)
	}
	if a == nil {
		return nil, noSwitch(r.GetSwitchId())
	}
	out, err := s.fit(*a, r.GetHtml())
	if err != nil {
		return nil, err
	}
	return &adminv1.GetReportResponse{Report: out.report, Html: out.html}, nil
}

// maxMessage is the largest message that is sent: a little less than the 4 MiB
// that gRPC clients take when nobody told them otherwise.
const maxMessage = 4<<20 - 1<<10

// fitting is a report that one message can carry.
type fitting struct {
	report *adminv1.Assessment
	html   []byte // nil unless it was asked for
}

// fit converts a report and, if asked, makes its page. Of one that no message
// can carry it leaves out the charts first (the page, if there is one, keeps
// them as long as it can), and then the other details.
func (s *Server) fit(a rollout.Assessment, html bool) (fitting, error) {
	const page = "the charts are left out here, because the report is too large for one message: the page shows them"
	const charts = "the charts are left out, because the report is too large for one message"
	const details = "slices, charts and cases are left out, because the report is too large for one message"
	noCharts := func(d *rollout.Detail) { d.Charts = nil }
	notesOnly := func(d *rollout.Detail) { *d = rollout.Detail{Notes: d.Notes} }

	tries := []struct{ data, page rollout.Assessment }{
		{a, a},
		{without(a, page, noCharts), a},
		{without(a, charts, noCharts), without(a, charts, noCharts)},
		{without(a, details, notesOnly), without(a, details, notesOnly)},
	}
	if !html {
		tries = append(tries[:1], tries[2:]...)
	}
	for _, try := range tries {
		out := fitting{report: Assessment(try.data)}
		if html {
			var err error
			if out.html, err = s.html(try.page); err != nil {
				return fitting{}, failure(codes.Unavailable, ReasonNotReadable, fmt.Sprintf("the page can't be made: %v", err))
			}
		}
		if proto.Size(out.report)+len(out.html) <= maxMessage-64 { // around them are the tags and lengths
			return out, nil
		}
	}
	return fitting{}, failure(codes.ResourceExhausted, ReasonTooLarge,
		fmt.Sprintf("the report is larger than the %d bytes that one message can carry, even without details: "+
			"ask for it without the page, or for single checks", maxMessage))
}

// without is a with each detail that cut changes cut, and note in it saying so.
func without(a rollout.Assessment, note string, cut func(*rollout.Detail)) rollout.Assessment {
	stages := make([]rollout.Stage, len(a.Stages))
	for i, st := range a.Stages {
		stages[i] = rollout.Stage{Name: st.Name, Verdicts: make([]rollout.Verdict, len(st.Verdicts))}
		for j, v := range st.Verdicts {
			if v.Detail != nil {
				d := *v.Detail
				cut(&d)
				if len(d.Charts) < len(v.Detail.Charts) || len(d.Slices) < len(v.Detail.Slices) || len(d.Cases) < len(v.Detail.Cases) {
					d.Notes = append(append([]string(nil), d.Notes...), note)
				}
				v.Detail = &d
			}
			stages[i].Verdicts[j] = v
		}
	}
	a.Stages = stages
	return a
}
