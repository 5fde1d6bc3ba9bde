package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"greenlight/api/adminv1"
)

// server answers Watch with one script after the other; the last one repeats.
type server struct {
	adminv1.AdminServiceClient
	scripts [][]any // *adminv1.ModelStatus or error
	past    *adminv1.Switch
	watches int
}

func (s *server) Watch(context.Context, *adminv1.WatchRequest, ...grpc.CallOption) (grpc.ServerStreamingClient[adminv1.WatchResponse], error) {
	script := s.scripts[min(s.watches, len(s.scripts)-1)]
	s.watches++
	return &scripted{script: script}, nil
}

func (s *server) GetSwitch(context.Context, *adminv1.GetSwitchRequest, ...grpc.CallOption) (*adminv1.GetSwitchResponse, error) {
	return &adminv1.GetSwitchResponse{Switch: s.past}, nil
}

type scripted struct {
	grpc.ClientStream
	script []any
}

func (s *scripted) Recv() (*adminv1.WatchResponse, error) {
	if len(s.script) == 0 {
		return nil, io.EOF
	}
	next := s.script[0]
	s.script = s.script[1:]
	switch v := next.(type) {
	case error:
		return nil, v
	case *adminv1.ModelStatus:
		return &adminv1.WatchResponse{Event: &adminv1.WatchResponse_Model{Model: v}}, nil
	default:
		return &adminv1.WatchResponse{Event: &adminv1.WatchResponse_ListingComplete{}}, nil
	}
}

func run(s *server, g goal, timeout time.Duration) (out string, v *verdict, err error) {
	var b bytes.Buffer
	f := &follower{
		app: &app{now: time.Now, server: "h:1"}, client: s, view: &plainView{w: &b, now: time.Now}, goal: g, model: "fraud", id: "s1",
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	v, err = f.run(ctx, model(adminv1.Phase_PHASE_PREPARING, adminv1.Outcome_OUTCOME_UNSPECIFIED))
	if err != nil {
		err = f.gaveUp(ctx, err)
	}
	return b.String(), v, err
}

var (
	away = status.Error(codes.Unavailable, "connection refused")
	bake = model(adminv1.Phase_PHASE_BAKING, adminv1.Outcome_OUTCOME_UNSPECIFIED)
	done = model(adminv1.Phase_PHASE_RETIRING, adminv1.Outcome_OUTCOME_SUCCEEDED)
)

// A server that restarts during the wait costs a line, not the wait.
func TestFollowSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{scripts: [][]any{{bake, away}, {away}, {away}, {bake, nil}, {done}}}
		out, v, err := run(s, succeed, time.Hour)
		if err != nil || v == nil || !v.ok {
			t.Fatalf("follow = %v, %v", v, err)
		}
		if n := strings.Count(out, "the server is away, trying again"); n != 2 {
			t.Errorf("said %d times that the server is away, want once for each time:\n%s", n, out)
		}
	})
}

func TestFollowGivesUpOnAServerThatStaysAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, _, err := run(&server{scripts: [][]any{{bake, away}, {away}}}, succeed, time.Hour)
		var coded *codedError
		if !errors.As(err, &coded) || coded.code != codeUnreachable {
			t.Fatalf("follow = %v, want exit code 3", err)
		}
		if took := time.Since(began); took < returnWithin || took > returnWithin+2*askAgain {
			t.Errorf("gave up after %v, want %v", took, returnWithin)
		}
	})
}

func TestFollowTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, err := run(&server{scripts: [][]any{{away}}}, succeed, time.Second)
		var coded *codedError
		if !errors.As(err, &coded) || coded.code != codeFailed || !strings.Contains(err.Error(), "goes on by itself") {
			t.Errorf("follow = %v, want exit code 1", err)
		}
	})
}

func TestFollowStopsAtOtherErrors(t *testing.T) {
	_, _, err := run(&server{scripts: [][]any{{status.Error(codes.Unimplemented, "unknown method")}}}, succeed, time.Hour)
	if err == nil || !strings.Contains(err.Error(), "is not (this version of) Greenlight's admin API") {
		t.Errorf("follow = %v", err)
	}
}

// Another switch may begin before the end of this one was seen.
func TestFollowFindsAPastSwitch(t *testing.T) {
	other := model(adminv1.Phase_PHASE_PREPARING, adminv1.Outcome_OUTCOME_UNSPECIFIED)
	other.State.Switch.Id = "s2"
	past := done.GetState().GetSwitch()
	_, v, err := run(&server{scripts: [][]any{{bake, other}}, past: past}, succeed, time.Hour)
	if err != nil || v == nil || !v.ok {
		t.Errorf("follow = %v, %v; want success", v, err)
	}
}
