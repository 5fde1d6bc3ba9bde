package api

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"greenlight/rollout"
)

// Domain is the domain of every ErrorInfo.
const Domain = "greenlight"

// The reasons of ErrorInfo. They are part of the API: clients branch on them.
const (
	ReasonNoModel      = "NO_MODEL"
	ReasonNoSwitch     = "NO_SWITCH"
	ReasonNoFleet      = "NO_FLEET"
	ReasonNoRecording  = "NO_RECORDING"
	ReasonBadRequest   = "BAD_REQUEST"
	ReasonNotNow       = "NOT_NOW"
	ReasonNotReady     = "NOT_READY"
	ReasonPrecondition = "PRECONDITION"
	ReasonTakenBack    = "TAKEN_BACK"
	ReasonNotWanted    = "NOT_WANTED"
	ReasonBusy         = "BUSY"
	ReasonKeyReused    = "KEY_REUSED"
	ReasonNotDone      = "NOT_DONE"
	ReasonNotReadable  = "NOT_READABLE"
	ReasonTooLarge     = "TOO_LARGE"
)

// failure makes a status error with an ErrorInfo and further details.
func failure(code codes.Code, reason, message string, details ...protoadapt.MessageV1) error {
	st := status.New(code, message)
	info := &errdetails.ErrorInfo{Reason: reason, Domain: Domain}
	with, err := st.WithDetails(append([]protoadapt.MessageV1{info}, details...)...)
	if err != nil {
		return st.Err() // can't be: the code is not OK and the details are messages
	}
	return with.Err()
}

// commandError turns what Models.Do answered into a status error.
func (s *Server) commandError(model string, c rollout.Command, err error) error {
	var refused *rollout.RefusedError
	switch {
	case errors.As(err, &refused):
		return refusal(model, c, refused)
	case errors.Is(err, rollout.ErrNoModel):
		return s.noModel(model)
	case errors.Is(err, rollout.ErrKeyReused):
		return failure(codes.AlreadyExists, ReasonKeyReused, err.Error())
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	default:
		return failure(codes.Unavailable, ReasonNotDone, err.Error())
	}
}

func refusal(model string, c rollout.Command, r *rollout.RefusedError) error {
	switch r.Code {
	case rollout.Invalid:
		return failure(codes.InvalidArgument, ReasonBadRequest, r.Message)
	case rollout.NotReady:
		return failure(codes.FailedPrecondition, ReasonNotReady, r.Message)
	case rollout.Precondition:
		return failure(codes.FailedPrecondition, ReasonPrecondition, r.Message, unmet(model, c, r.Message))
	case rollout.Busy:
		return failure(codes.FailedPrecondition, ReasonBusy, r.Message)
	case rollout.NotWanted:
		return failure(codes.FailedPrecondition, ReasonNotWanted, r.Message)
	case rollout.TakenBack:
		return failure(codes.FailedPrecondition, ReasonTakenBack, r.Message)
	default:
		return failure(codes.FailedPrecondition, ReasonNotNow, r.Message)
	}
}

// unmet names the expectations that the request had; Step has found at least
// one of them wrong, and its message says which.
func unmet(model string, c rollout.Command, message string) *errdetails.PreconditionFailure {
	out := &errdetails.PreconditionFailure{}
	add := func(kind string) {
		out.Violations = append(out.Violations, &errdetails.PreconditionFailure_Violation{
			Type: kind, Subject: model, Description: message,
		})
	}
	if c.ExpectLive != "" {
		add("EXPECT_LIVE")
	}
	if c.ExpectVersion != "" {
		add("EXPECT_VERSION")
	}
	return out
}

func (s *Server) noModel(name string) error {
	var names []string
	for _, st := range s.models.Statuses() {
		names = append(names, st.State.Model)
	}
	return notFound(ReasonNoModel, "model", name, names, "a model exists once a policy file names it")
}

// notFound names what was asked for, and the names nearest to it.
func notFound(reason, kind, name string, names []string, hint string) error {
	message := fmt.Sprintf("no %s is named %q; %s", kind, name, hint)
	if near := nearest(name, names); len(near) > 0 {
		message = fmt.Sprintf("no %s is named %q; did you mean %s?", kind, name, strings.Join(near, " or "))
	}
	return failure(codes.NotFound, reason, message, &errdetails.ResourceInfo{ResourceType: kind, ResourceName: name})
}

func noSwitch(id string) error {
	return notFound(ReasonNoSwitch, "switch", id, nil, "'greenlight history' lists them")
}

func notReadable(err error) error {
	return failure(codes.Unavailable, ReasonNotReadable, fmt.Sprintf("the history can't be read: %v", err))
}
