package api

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
)

// Checks measures a color without a switch.
type Checks interface {
	// Check runs the policy's checks of a model (only those named, if any)
	// against target (empty: whichever color is idle). It tells progress, never
	// concurrently, and answers when all have ended; nothing of it is kept. When
	// ctx is done it ends at once. Errors: *rollout.RefusedError,
	// *rollout.UnknownChecksError, rollout.ErrNoModel, rollout.ErrChecking, ctx's.
	Check(ctx context.Context, model string, only []string, target policy.Color,
		progress func(rollout.CheckProgress)) (rollout.Assessment, error)
}

// RunChecks implements adminv1.AdminServiceServer. As in Watch, a mailbox stands
// between the run and the stream: a slow client never slows the checks.
func (s *Server) RunChecks(r *adminv1.RunChecksRequest, stream grpc.ServerStreamingServer[adminv1.RunChecksResponse]) error {
	var v violations
	v.model(r.GetModel())
	v.color("target", r.GetTarget())
	v.only(r.GetOnly())
	if err := v.err(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(stream.Context())
	box := newMailbox[rollout.CheckProgress]()
	ended := make(chan checked, 1)
	go func() {
		defer close(ended)
		a, err := s.checks.Check(ctx, r.GetModel(), r.GetOnly(), colorOf(r.GetTarget()), func(p rollout.CheckProgress) {
			box.put(p.Check, p)
		})
		ended <- checked{a, err}
	}()

	err := s.follow(ctx, r, stream, box, ended)
	cancel()
	for range ended { // no goroutine outlives its stream
	}
	return err
}

// checked is what Checks.Check answered.
type checked struct {
	assessment rollout.Assessment
	err        error
}

// follow sends progress until the run ends, and then its report.
func (s *Server) follow(ctx context.Context, r *adminv1.RunChecksRequest, stream grpc.ServerStreamingServer[adminv1.RunChecksResponse],
	box *mailbox[rollout.CheckProgress], ended <-chan checked,
) error {
	send := func() error {
		for _, p := range box.take() {
			event := &adminv1.RunChecksResponse_Progress{Progress: checkProgress(p)}
			if err := stream.Send(&adminv1.RunChecksResponse{Event: event}); err != nil {
				return err
			}
		}
		return nil
	}
	for {
		// The checks got further, or they have ended, or nobody waits for them any more.
		select {
		case <-box.ready:
			if err := send(); err != nil {
				return err
			}
		case out := <-ended:
			if err := send(); err != nil {
				return err
			}
			if out.err != nil {
				return s.checkError(r.GetModel(), out.err)
			}
			fit, err := s.fit(out.assessment, r.GetHtml())
			if err != nil {
				return err
			}
			event := &adminv1.RunChecksResponse_Report{Report: &adminv1.CheckReport{Report: fit.report, Html: fit.html}}
			return stream.Send(&adminv1.RunChecksResponse{Event: event})
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case <-s.closing.Done():
			return status.Error(codes.Unavailable, "the server is shutting down")
		}
	}
}

// checkError turns what Checks.Check answered into a status error.
func (s *Server) checkError(model string, err error) error {
	var unknown *rollout.UnknownChecksError
	switch {
	case errors.As(err, &unknown):
		var v violations
		v.add("only", "names %s, which the policy of %s does not have; it has %s",
			strings.Join(unknown.Names, ", "), model, strings.Join(unknown.Known, ", "))
		return v.err()
	case errors.Is(err, rollout.ErrChecking):
		return failure(codes.FailedPrecondition, ReasonNotNow,
			fmt.Sprintf("the checks of %s are running already for somebody else: wait for them, and ask again", model))
	default:
		return s.commandError(model, rollout.Command{}, err)
	}
}
