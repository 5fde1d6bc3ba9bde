package api_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"greenlight/api"
	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
)

// detail finds a detail of type D in an error.
func detail[D any](err error) (found D, ok bool) {
	for _, d := range status.Convert(err).Details() {
		if d, is := d.(D); is {
			return d, true
		}
	}
	return found, false
}

func wantError(t *testing.T, err error, code codes.Code, reason string) {
	t.Helper()
	if got := status.Code(err); got != code {
		t.Fatalf("code = %v, want %v (%v)", got, code, err)
	}
	info, ok := detail[*errdetails.ErrorInfo](err)
	if !ok {
		t.Fatalf("%v has no ErrorInfo", err)
	}
	if info.GetReason() != reason || info.GetDomain() != api.Domain {
		t.Errorf("ErrorInfo = %s of %s, want %s of %s", info.GetReason(), info.GetDomain(), reason, api.Domain)
	}
}

func TestCommandErrors(t *testing.T) {
	refused := func(c rollout.RefusalCode) error {
		return fmt.Errorf("do: %w", &rollout.RefusedError{Code: c, Message: "why, and what to do"})
	}
	tests := []struct {
		name    string
		err     error
		code    codes.Code
		reason  string
		message string
	}{
		{"not now", refused(rollout.NotNow), codes.FailedPrecondition, api.ReasonNotNow, "why, and what to do"},
		{"not ready", refused(rollout.NotReady), codes.FailedPrecondition, api.ReasonNotReady, "why, and what to do"},
		{"precondition", refused(rollout.Precondition), codes.FailedPrecondition, api.ReasonPrecondition, "why, and what to do"},
		{"invalid", refused(rollout.Invalid), codes.InvalidArgument, api.ReasonBadRequest, "why, and what to do"},
		{"unknown refusal", refused("new-kind"), codes.FailedPrecondition, api.ReasonNotNow, "why, and what to do"},
		{"no model", fmt.Errorf("%w: %q", rollout.ErrNoModel, "fraud"), codes.NotFound, api.ReasonNoModel, `no model is named "fraud"`},
		{"key reused", fmt.Errorf("%w: k1", rollout.ErrKeyReused), codes.AlreadyExists, api.ReasonKeyReused, "k1"},
		{"journal", errors.New("commit: disk full"), codes.Unavailable, api.ReasonNotDone, "commit: disk full"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newModels("fraud")
			m.do = func(string, rollout.Command) (rollout.Status, error) { return rollout.Status{}, tt.err }
			s := serve(t, m, &history{}, nil)
			_, err := s.client.StartSwitch(t.Context(), &adminv1.StartSwitchRequest{Model: "fraud"})
			wantError(t, err, tt.code, tt.reason)
			if !strings.Contains(status.Convert(err).Message(), tt.message) {
				t.Errorf("message = %q, want it to hold %q", status.Convert(err).Message(), tt.message)
			}
		})
	}
}

// Errors of the caller's own context keep their code and are no answer of Greenlight's.
func TestContextErrorsKeepTheirCode(t *testing.T) {
	for want, cause := range map[codes.Code]error{codes.Canceled: context.Canceled, codes.DeadlineExceeded: context.DeadlineExceeded} {
		m := newModels("fraud")
		m.do = func(string, rollout.Command) (rollout.Status, error) {
			return rollout.Status{}, fmt.Errorf("wait for switch: %w", cause)
		}
		s := serve(t, m, &history{}, nil)
		_, err := s.client.Pause(t.Context(), &adminv1.PauseRequest{Model: "fraud"})
		if got := status.Code(err); got != want {
			t.Errorf("code = %v, want %v", got, want)
		}
	}
}

func TestPreconditionNamesTheExpectations(t *testing.T) {
	m := newModels("fraud")
	m.do = func(string, rollout.Command) (rollout.Status, error) {
		return rollout.Status{}, &rollout.RefusedError{Code: rollout.Precondition, Message: "green is live, not blue"}
	}
	s := serve(t, m, &history{}, nil)
	_, err := s.client.StartSwitch(t.Context(), &adminv1.StartSwitchRequest{
		Model: "fraud", ExpectLive: adminv1.Color_COLOR_BLUE, ExpectVersion: "1",
	})
	failure, ok := detail[*errdetails.PreconditionFailure](err)
	if !ok || len(failure.GetViolations()) != 2 {
		t.Fatalf("violations = %v, want EXPECT_LIVE and EXPECT_VERSION", failure.GetViolations())
	}
	for i, kind := range []string{"EXPECT_LIVE", "EXPECT_VERSION"} {
		v := failure.GetViolations()[i]
		if v.GetType() != kind || v.GetSubject() != "fraud" || v.GetDescription() != "green is live, not blue" {
			t.Errorf("violation %d = %v, want %s of fraud", i, v, kind)
		}
	}
}

func TestViolations(t *testing.T) {
	long := strings.Repeat("x", 2000)
	tests := []struct {
		name   string
		call   func(*served) error
		fields []string
	}{
		{"no model", start(&adminv1.StartSwitchRequest{}), []string{"model"}},
		{"long model", start(&adminv1.StartSwitchRequest{Model: long}), []string{"model"}},
		{"unknown target", start(&adminv1.StartSwitchRequest{Model: "fraud", Target: 7}), []string{"target"}},
		{"unknown expectation", start(&adminv1.StartSwitchRequest{Model: "fraud", ExpectLive: -1}), []string{"expect_live"}},
		{"force without reason", start(&adminv1.StartSwitchRequest{Model: "fraud", Force: true}), []string{"reason"}},
		{"force with blank reason", start(&adminv1.StartSwitchRequest{Model: "fraud", Force: true, Reason: " \t"}), []string{"reason"}},
		{
			"everything too long", start(&adminv1.StartSwitchRequest{
				Model: "fraud", Actor: long, Reason: long, IdempotencyKey: long, ExpectVersion: long,
			}),
			[]string{"expect_version", "idempotency_key", "actor", "reason"},
		},
		{"forced rollback", func(s *served) error {
			_, err := s.client.Rollback(context.Background(), &adminv1.RollbackRequest{Model: "fraud", Force: true})
			return err
		}, []string{"reason"}},
		{"get nothing", func(s *served) error {
			_, err := s.client.GetModel(context.Background(), &adminv1.GetModelRequest{})
			return err
		}, []string{"model"}},
		{"get no switch", func(s *served) error {
			_, err := s.client.GetSwitch(context.Background(), &adminv1.GetSwitchRequest{})
			return err
		}, []string{"id"}},
		{"get no fleet", func(s *served) error {
			_, err := s.client.GetFleet(context.Background(), &adminv1.GetFleetRequest{})
			return err
		}, []string{"fleet"}},
		{"page too large", func(s *served) error {
			_, err := s.client.ListSwitches(context.Background(), &adminv1.ListSwitchesRequest{PageSize: 501, PageToken: long})
			return err
		}, []string{"page_token", "page_size"}},
		{"negative page", func(s *served) error {
			_, err := s.client.ListSwitches(context.Background(), &adminv1.ListSwitchesRequest{PageSize: -1})
			return err
		}, []string{"page_size"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, newModels("fraud"), &history{}, nil)
			err := tt.call(s)
			wantError(t, err, codes.InvalidArgument, api.ReasonBadRequest)
			bad, _ := detail[*errdetails.BadRequest](err)
			var got []string
			for _, v := range bad.GetFieldViolations() {
				got = append(got, v.GetField())
				if !strings.Contains(status.Convert(err).Message(), v.GetField()+" "+v.GetDescription()) {
					t.Errorf("message %q lacks violation %v", status.Convert(err).Message(), v)
				}
			}
			if strings.Join(got, " ") != strings.Join(tt.fields, " ") {
				t.Errorf("fields = %v, want %v", got, tt.fields)
			}
			if n := s.models.asked(); n != 0 {
				t.Errorf("%d commands reached the models", n)
			}
		})
	}
}

func start(r *adminv1.StartSwitchRequest) func(*served) error {
	return func(s *served) error {
		_, err := s.client.StartSwitch(context.Background(), r)
		return err
	}
}

func TestCommandsReachTheModel(t *testing.T) {
	s := serve(t, newModels("fraud"), &history{}, nil)
	ctx := t.Context()
	tests := []struct {
		name string
		call func() error
		want rollout.Command
	}{
		{"switch", func() error {
			_, err := s.client.StartSwitch(ctx, &adminv1.StartSwitchRequest{
				Model: "fraud", Target: adminv1.Color_COLOR_GREEN, ExpectLive: adminv1.Color_COLOR_BLUE, ExpectVersion: "7",
				IdempotencyKey: "k", Reason: "because", Actor: "ann", Force: true,
			})
			return err
		}, rollout.Command{
			Verb: rollout.Start, Actor: "ann", Reason: "because", Target: policy.Green,
			ExpectLive: policy.Blue, ExpectVersion: "7", Key: "k", Force: true,
		}},
		{"switch to whichever is idle", func() error {
			_, err := s.client.StartSwitch(ctx, &adminv1.StartSwitchRequest{Model: "fraud", Actor: "ann"})
			return err
		}, rollout.Command{Verb: rollout.Start, Actor: "ann"}},
		{"promote", func() error {
			_, err := s.client.Promote(ctx, &adminv1.PromoteRequest{Model: "fraud", Actor: "ann", Reason: "because"})
			return err
		}, rollout.Command{Verb: rollout.Promote, Actor: "ann", Reason: "because"}},
		{"pause", func() error {
			_, err := s.client.Pause(ctx, &adminv1.PauseRequest{Model: "fraud", Actor: "ann", Reason: "because"})
			return err
		}, rollout.Command{Verb: rollout.Pause, Actor: "ann", Reason: "because"}},
		{"resume", func() error {
			_, err := s.client.Resume(ctx, &adminv1.ResumeRequest{Model: "fraud", Actor: "ann", Reason: "because"})
			return err
		}, rollout.Command{Verb: rollout.Resume, Actor: "ann", Reason: "because"}},
		{"abort", func() error {
			_, err := s.client.Abort(ctx, &adminv1.AbortRequest{Model: "fraud", Actor: "ann", Reason: "because"})
			return err
		}, rollout.Command{Verb: rollout.Abort, Actor: "ann", Reason: "because"}},
		{"rollback", func() error {
			_, err := s.client.Rollback(ctx, &adminv1.RollbackRequest{Model: "fraud", Actor: "ann", Reason: "because", Force: true})
			return err
		}, rollout.Command{Verb: rollout.RollBack, Actor: "ann", Reason: "because", Force: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.call(); err != nil {
				t.Fatal(err)
			}
			if got := s.models.last(t); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("command = %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestStartAnswersWithTheSwitch(t *testing.T) {
	m := newModels("fraud")
	m.do = func(model string, c rollout.Command) (rollout.Status, error) {
		return rollout.Status{State: rollout.State{Model: model, Switch: &rollout.Switch{ID: "s1", Key: c.Key}}}, nil
	}
	s := serve(t, m, &history{}, nil)
	r, err := s.client.StartSwitch(t.Context(), &adminv1.StartSwitchRequest{Model: "fraud"})
	if err != nil {
		t.Fatal(err)
	}
	if r.GetSwitchId() != "s1" || r.GetModel().GetModel() != "fraud" {
		t.Errorf("answer = %v, want switch s1 of fraud", r)
	}
}

func TestActor(t *testing.T) {
	with := func(ctx context.Context, v string) context.Context {
		return metadata.AppendToOutgoingContext(ctx, api.ActorKey, v)
	}
	s := serve(t, newModels("fraud"), &history{}, nil)
	tests := []struct {
		name  string
		ctx   context.Context
		field string
		want  string
	}{
		{"the request's word first", with(t.Context(), "proxy-user"), "ann", "ann"},
		{"then the metadata", with(t.Context(), "proxy-user"), "", "proxy-user"},
		{"blank is nobody", with(t.Context(), "proxy-user"), "  ", "proxy-user"},
		{"blank metadata is nobody", with(t.Context(), " "), "", "bufconn"},
		{"then the peer", t.Context(), "", "bufconn"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := s.client.Pause(tt.ctx, &adminv1.PauseRequest{Model: "fraud", Actor: tt.field}); err != nil {
				t.Fatal(err)
			}
			if got := s.models.last(t).Actor; got != tt.want {
				t.Errorf("actor = %q, want %q", got, tt.want)
			}
		})
	}
}
