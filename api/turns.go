package api

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"google.golang.org/grpc/codes"

	"greenlight/api/adminv1"
	"greenlight/rollout"
)

// Approve implements adminv1.AdminServiceServer. Who approves matters, so the word
// of a proxy that has authenticated somebody counts before the request's own.
func (s *Server) Approve(ctx context.Context, r *adminv1.ApproveRequest) (*adminv1.ApproveResponse, error) {
	who, err := proven(ctx)
	if err != nil {
		return nil, err
	}
	if who == "" {
		who = actor(ctx, r.GetActor())
	}
	groups, err := s.groups(who)
	if err != nil {
		return nil, failure(codes.Unavailable, ReasonNotDone, "it can't be told who may approve: "+err.Error())
	}
	q := &adminv1.ApproveRequest{Model: r.GetModel(), Actor: who, Reason: r.GetReason()}
	st, err := s.do(ctx, &violations{}, q, rollout.Command{Verb: rollout.Approve, Groups: groups})
	if err != nil {
		return nil, err
	}
	return &adminv1.ApproveResponse{Model: ModelStatus(st)}, nil
}

// Requeue implements adminv1.AdminServiceServer.
func (s *Server) Requeue(ctx context.Context, r *adminv1.RequeueRequest) (*adminv1.RequeueResponse, error) {
	var v violations
	if r.GetLast() && r.GetBeforeModel() != "" {
		v.add("last", "is set, and so is before_model; must be one of them")
	}
	v.atMost("before_model", r.GetBeforeModel(), maxName)
	if err := v.err(); err != nil {
		return nil, err
	}
	order, err := place(s.models.Statuses(), r)
	if err != nil {
		v.add("before_model", "%s", err)
	}
	st, err := s.do(ctx, &v, r, rollout.Command{Verb: rollout.Requeue, Order: order})
	if err != nil {
		return nil, err
	}
	return &adminv1.RequeueResponse{Model: ModelStatus(st)}, nil
}

// place is the order that puts a model where the request wants it.
func place(all []rollout.Status, r *adminv1.RequeueRequest) (int64, error) {
	var group string
	for _, s := range all {
		if s.State.Model == r.GetModel() && s.Policy != nil {
			group = s.Policy.Queue.Group
		}
	}
	var others []rollout.Queued
	before := -1
	slices.SortFunc(all, func(a, b rollout.Status) int { return cmp.Compare(a.State.Queued.Order, b.State.Queued.Order) })
	for _, s := range all {
		if s.State.Phase != rollout.Waiting || s.Policy == nil || s.Policy.Queue.Group != group || s.State.Model == r.GetModel() {
			continue
		}
		if s.State.Model == r.GetBeforeModel() {
			before = len(others)
		}
		others = append(others, s.State.Queued)
	}
	const apart = 1 << 20 // room for many more in between
	switch {
	case r.GetBeforeModel() != "" && before < 0:
		return 0, errors.New("no switch of that model waits in the same group; must be one that does")
	case len(others) == 0:
		return 0, nil
	case r.GetLast():
		return others[len(others)-1].Order + apart, nil
	case before <= 0:
		return others[0].Order - apart, nil
	default:
		a, b := others[before-1].Order, others[before].Order
		return a + (b-a)/2, nil
	}
}
