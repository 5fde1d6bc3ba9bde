package api_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"greenlight/api"
	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
)

// runs is an api.Checks that a test directs.
type runs struct {
	do func(ctx context.Context, progress func(rollout.CheckProgress)) (rollout.Assessment, error)
	// asked holds what the last run was asked for.
	model  string
	only   []string
	target policy.Color
}

func (r *runs) Check(ctx context.Context, model string, only []string, target policy.Color,
	progress func(rollout.CheckProgress),
) (rollout.Assessment, error) {
	r.model, r.only, r.target = model, only, target
	return r.do(ctx, progress)
}

func TestRunChecks(t *testing.T) {
	s := serve(t, newModels("fraud"), &history{}, nil)
	s.checks.do = func(_ context.Context, progress func(rollout.CheckProgress)) (rollout.Assessment, error) {
		progress(rollout.CheckProgress{Check: "ready", Done: 1, Total: 2})
		progress(rollout.CheckProgress{Check: "ready", Done: 2, Total: 2, Result: rollout.Pass})
		progress(rollout.CheckProgress{Check: "golden", Total: 3, Result: rollout.Fail})
		return assessed(1, 1), nil
	}
	events, err := runChecks(t, s, &adminv1.RunChecksRequest{
		Model: "fraud", Only: []string{"ready", "golden"}, Target: adminv1.Color_COLOR_GREEN, Html: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.checks.model != "fraud" || !slices.Equal(s.checks.only, []string{"ready", "golden"}) || s.checks.target != policy.Green {
		t.Errorf("asked for %q %q %q", s.checks.model, s.checks.only, s.checks.target)
	}
	last := map[string]adminv1.Result{}
	for _, e := range events[:len(events)-1] {
		if e.GetProgress() == nil {
			t.Fatalf("%v before the end", e)
		}
		last[e.GetProgress().GetCheck()] = e.GetProgress().GetResult()
	}
	if last["ready"] != adminv1.Result_RESULT_PASS || last["golden"] != adminv1.Result_RESULT_FAIL {
		t.Errorf("the last progress is %v", last)
	}
	report := events[len(events)-1].GetReport()
	if got := report.GetReport().GetStages()[0].GetVerdicts()[0].GetDetail().GetCharts(); len(got) != 1 {
		t.Errorf("the report has %d charts", len(got))
	}
	if got := string(report.GetHtml()); !strings.HasPrefix(got, "<html>") {
		t.Errorf("the page is %q", got)
	}

	events, err = runChecks(t, s, &adminv1.RunChecksRequest{Model: "fraud"})
	if err != nil || s.checks.target != "" || len(events[len(events)-1].GetReport().GetHtml()) > 0 {
		t.Errorf("unasked target %q, error %v", s.checks.target, err)
	}
}

func TestRunChecksRefused(t *testing.T) {
	s := serve(t, newModels("fraud"), &history{}, nil)
	tests := map[string]struct {
		request *adminv1.RunChecksRequest
		err     error
		code    codes.Code
		reason  string
		says    string
	}{
		"no model": {nil, rollout.ErrNoModel, codes.NotFound, api.ReasonNoModel, "fraud"},
		"unknown name": {nil, &rollout.UnknownChecksError{Names: []string{"qualty"}, Known: []string{"ready", "quality"}},
			codes.InvalidArgument, api.ReasonBadRequest, "qualty, which the policy of fraud does not have; it has ready, quality"},
		"busy": {nil, rollout.ErrChecking, codes.FailedPrecondition, api.ReasonNotNow, "running already"},
		"not ready": {nil, &rollout.RefusedError{Code: rollout.NotReady, Message: "no endpoints"},
			codes.FailedPrecondition, api.ReasonNotReady, "no endpoints"},
		"broken":       {nil, errors.New("boom"), codes.Unavailable, api.ReasonNotDone, "boom"},
		"unnamed":      {&adminv1.RunChecksRequest{}, nil, codes.InvalidArgument, api.ReasonBadRequest, "model"},
		"empty name":   {&adminv1.RunChecksRequest{Model: "fraud", Only: []string{""}}, nil, codes.InvalidArgument, api.ReasonBadRequest, "empty name"},
		"many names":   {&adminv1.RunChecksRequest{Model: "fraud", Only: make([]string, 257)}, nil, codes.InvalidArgument, api.ReasonBadRequest, "257"},
		"no color":     {&adminv1.RunChecksRequest{Model: "fraud", Target: 7}, nil, codes.InvalidArgument, api.ReasonBadRequest, "target"},
		"a long name":  {&adminv1.RunChecksRequest{Model: "fraud", Only: []string{strings.Repeat("x", 257)}}, nil, codes.InvalidArgument, api.ReasonBadRequest, "257 bytes"},
		"a long model": {&adminv1.RunChecksRequest{Model: strings.Repeat("x", 257)}, nil, codes.InvalidArgument, api.ReasonBadRequest, "257 bytes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s.checks.do = func(context.Context, func(rollout.CheckProgress)) (rollout.Assessment, error) {
				return rollout.Assessment{}, tt.err
			}
			request := tt.request
			if request == nil {
				request = &adminv1.RunChecksRequest{Model: "fraud"}
			}
			_, err := runChecks(t, s, request)
			wantError(t, err, tt.code, tt.reason)
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v does not say %q", err, tt.says)
			}
		})
	}
}

// A client that leaves, and a server that does, end the run at once.
func TestRunChecksEndsAtOnce(t *testing.T) {
	for name, end := range map[string]func(s *served, leave func()){
		"client": func(_ *served, leave func()) { leave() },
		"server": func(s *served, _ func()) { s.server.Shutdown() },
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, newModels("fraud"), &history{}, nil)
			running, canceled := make(chan struct{}), make(chan struct{})
			s.checks.do = func(ctx context.Context, _ func(rollout.CheckProgress)) (rollout.Assessment, error) {
				close(running)
				<-ctx.Done()
				close(canceled)
				return rollout.Assessment{}, ctx.Err()
			}
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			stream, err := s.client.RunChecks(ctx, &adminv1.RunChecksRequest{Model: "fraud"})
			if err != nil {
				t.Fatal(err)
			}
			<-running
			end(s, leave)
			<-canceled
			if _, err := stream.Recv(); err == nil {
				t.Error("the stream goes on")
			}
		})
	}
}

// A client that does not read holds up no check: only the newest progress waits for it.
func TestRunChecksNeverWaitsForTheClient(t *testing.T) {
	s := serve(t, newModels("fraud"), &history{}, nil)
	told := make(chan struct{})
	const many = 100_000 // far more than the connection holds
	s.checks.do = func(_ context.Context, progress func(rollout.CheckProgress)) (rollout.Assessment, error) {
		for i := range many {
			progress(rollout.CheckProgress{Check: "quality", Done: i + 1, Total: many})
		}
		close(told)
		return assessed(1, 1), nil
	}
	stream, err := s.client.RunChecks(t.Context(), &adminv1.RunChecksRequest{Model: "fraud"})
	if err != nil {
		t.Fatal(err)
	}
	<-told
	done := int32(0)
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if p := e.GetProgress(); p != nil {
			if p.GetDone() <= done {
				t.Fatalf("progress goes back from %d to %d", done, p.GetDone())
			}
			done = p.GetDone()
		}
	}
	if done != many {
		t.Errorf("the last progress is %d", done)
	}
}

func runChecks(t *testing.T, s *served, r *adminv1.RunChecksRequest) ([]*adminv1.RunChecksResponse, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stream, err := s.client.RunChecks(ctx, r)
	if err != nil {
		return nil, err
	}
	var out []*adminv1.RunChecksResponse
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, e)
	}
}
