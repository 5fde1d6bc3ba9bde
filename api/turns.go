package api

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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
	moves, err := place(s.models.Statuses(), r)
	if err != nil {
		v.add("before_model", "%s", err)
	}
	v.model(r.GetModel())
	if err := v.err(); err != nil {
		return nil, err
	}
	var st rollout.Status
	for _, m := range moves {
		if m.model == r.GetModel() {
			st, err = s.do(ctx, &v, r, rollout.Command{Verb: rollout.Requeue, Order: m.order})
		} else {
			err = s.makeRoom(ctx, r, m)
		}
		if err != nil {
			return nil, err
		}
	}
	return &adminv1.RequeueResponse{Model: ModelStatus(st)}, nil
}

// makeRoom moves one that keeps its turn. If it waits no longer, there is room.
func (s *Server) makeRoom(ctx context.Context, r *adminv1.RequeueRequest, m move) error {
	q := &adminv1.RequeueRequest{Model: m.model, Actor: r.GetActor(), Reason: r.GetReason()}
	_, err := s.do(ctx, &violations{}, q, rollout.Command{Verb: rollout.Requeue, Order: m.order})
	if code := status.Code(err); code == codes.FailedPrecondition || code == codes.NotFound {
		return nil
	}
	return err
}

// move gives one model that waits its place.
type move struct {
	model string
	order int64
}

// apart is how far from each other those are put who get a place: room for many more
// in between.
const apart = 1 << 20

// place is what puts a model where the request wants it. Where there is no room left
// between two, those before it move up first, one after the other, and pass nobody.
func place(all []rollout.Status, r *adminv1.RequeueRequest) ([]move, error) {
	others, before := waitingBeside(all, r)
	own := move{model: r.GetModel()}
	switch last := len(others) - 1; {
	case r.GetBeforeModel() != "" && before < 0:
		return nil, errors.New("no switch of that model waits in the same group; must be one that does")
	case last < 0:
	case r.GetLast():
		own.order = others[last].order + apart
	case before <= 0:
		own.order = others[0].order - apart
	case others[before].order-others[before-1].order >= 2:
		a, b := others[before-1].order, others[before].order
		own.order = a + (b-a)/2
	default:
		own.order = others[before].order - apart
		return append(movedUp(others[:before], own.order), own), nil
	}
	return []move{own}, nil
}

// movedUp has all of queue before end, those first that are first.
func movedUp(queue []move, end int64) []move {
	var up []move
	for _, m := range slices.Backward(queue) {
		if m.order < end {
			break
		}
		end -= apart
		up = append(up, move{m.model, end})
	}
	slices.Reverse(up)
	return up
}

// waitingBeside is who waits in the group of the request's model, in turn, and which of
// them is the one to come before; -1 if none is.
func waitingBeside(all []rollout.Status, r *adminv1.RequeueRequest) (others []move, before int) {
	var group string
	for _, s := range all {
		if s.State.Model == r.GetModel() && s.Policy != nil {
			group = s.Policy.Queue.Group
		}
	}
	for _, s := range all {
		if s.State.Phase == rollout.Waiting && s.Policy != nil && s.Policy.Queue.Group == group && s.State.Model != r.GetModel() {
			others = append(others, move{s.State.Model, s.State.Queued.Order})
		}
	}
	slices.SortFunc(others, func(a, b move) int { return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.model, b.model)) })
	return others, slices.IndexFunc(others, func(m move) bool { return m.model == r.GetBeforeModel() })
}
