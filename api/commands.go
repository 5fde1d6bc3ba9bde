package api

import (
	"context"
	"math"

	"greenlight/api/adminv1"
	"greenlight/rollout"
)

// StartSwitch implements adminv1.AdminServiceServer.
func (s *Server) StartSwitch(ctx context.Context, r *adminv1.StartSwitchRequest) (*adminv1.StartSwitchResponse, error) {
	var v violations
	v.color("target", r.GetTarget())
	v.color("expect_live", r.GetExpectLive())
	v.atMost("expect_version", r.GetExpectVersion(), maxName)
	v.atMost("idempotency_key", r.GetIdempotencyKey(), maxKey)
	v.forced(r.GetForce(), r.GetReason())
	who, err := proven(ctx)
	if err != nil {
		return nil, err
	}
	v.atMost("actor", who, maxName)
	st, err := s.do(ctx, &v, r, rollout.Command{
		Verb:          rollout.Start,
		Proven:        who,
		Target:        colorOf(r.GetTarget()),
		ExpectLive:    colorOf(r.GetExpectLive()),
		ExpectVersion: r.GetExpectVersion(),
		Key:           r.GetIdempotencyKey(),
		Force:         r.GetForce(),
		Again:         r.GetAgain(),
		Override:      r.GetOverride(),
		Now:           r.GetNow(),
	})
	if err != nil {
		return nil, err
	}
	out := &adminv1.StartSwitchResponse{Model: ModelStatus(st)}
	out.SwitchId = out.GetModel().GetState().GetSwitch().GetId()
	return out, nil
}

// Promote implements adminv1.AdminServiceServer.
func (s *Server) Promote(ctx context.Context, r *adminv1.PromoteRequest) (*adminv1.PromoteResponse, error) {
	st, err := s.do(ctx, &violations{}, r, rollout.Command{Verb: rollout.Promote, Now: r.GetNow()})
	if err != nil {
		return nil, err
	}
	return &adminv1.PromoteResponse{Model: ModelStatus(st)}, nil
}

// Pause implements adminv1.AdminServiceServer.
func (s *Server) Pause(ctx context.Context, r *adminv1.PauseRequest) (*adminv1.PauseResponse, error) {
	st, err := s.do(ctx, &violations{}, r, rollout.Command{Verb: rollout.Pause})
	if err != nil {
		return nil, err
	}
	return &adminv1.PauseResponse{Model: ModelStatus(st)}, nil
}

// Resume implements adminv1.AdminServiceServer.
func (s *Server) Resume(ctx context.Context, r *adminv1.ResumeRequest) (*adminv1.ResumeResponse, error) {
	st, err := s.do(ctx, &violations{}, r, rollout.Command{Verb: rollout.Resume})
	if err != nil {
		return nil, err
	}
	return &adminv1.ResumeResponse{Model: ModelStatus(st)}, nil
}

// Abort implements adminv1.AdminServiceServer.
func (s *Server) Abort(ctx context.Context, r *adminv1.AbortRequest) (*adminv1.AbortResponse, error) {
	st, err := s.do(ctx, &violations{}, r, rollout.Command{Verb: rollout.Abort})
	if err != nil {
		return nil, err
	}
	return &adminv1.AbortResponse{Model: ModelStatus(st)}, nil
}

// Rollback implements adminv1.AdminServiceServer.
func (s *Server) Rollback(ctx context.Context, r *adminv1.RollbackRequest) (*adminv1.RollbackResponse, error) {
	var v violations
	v.forced(r.GetForce(), r.GetReason())
	v.atMost("before_switch", r.GetBeforeSwitch(), maxName)
	c := rollout.Command{Verb: rollout.RollBack, Force: r.GetForce()}
	if id := r.GetBeforeSwitch(); id != "" && v.err() == nil {
		earlier, err := s.earlier(r.GetModel(), id)
		if err != nil {
			return nil, err
		}
		c.Before = earlier
	}
	st, err := s.do(ctx, &v, r, c)
	if err != nil {
		return nil, err
	}
	return &adminv1.RollbackResponse{Model: ModelStatus(st)}, nil
}

// earlier is what was live before a switch of the model.
func (s *Server) earlier(model, id string) (*rollout.Earlier, error) {
	sw, err := s.history.Switch(id)
	switch {
	case err != nil:
		return nil, notReadable(err)
	case sw == nil:
		return nil, noSwitch(id)
	case sw.Model != model:
		var v violations
		v.add("before_switch", "is a switch of %s; must be one of %s", sw.Model, model)
		return nil, v.err()
	default:
		return &rollout.Earlier{ID: sw.ID, Color: sw.From, Version: sw.FromVersion}, nil
	}
}

// Drill implements adminv1.AdminServiceServer.
func (s *Server) Drill(ctx context.Context, r *adminv1.DrillRequest) (*adminv1.DrillResponse, error) {
	var v violations
	if q := r.GetQuietPerSecond(); !(q >= 0) || math.IsInf(q, 0) {
		v.add("quiet_per_second", "is %g; must be 0 or more", q)
	}
	st, err := s.do(ctx, &v, r, rollout.Command{Verb: rollout.Practise, Quiet: r.GetQuietPerSecond(), AnyRate: r.GetAnyRate()})
	if err != nil {
		return nil, err
	}
	return &adminv1.DrillResponse{Model: ModelStatus(st)}, nil
}

// asked is what every command's request has.
type asked interface {
	GetModel() string
	GetActor() string
	GetReason() string
}

// do fills in what all commands share, refuses a request that breaks a rule
// (those that v found and those of all commands), and hands c to the model.
func (s *Server) do(ctx context.Context, v *violations, r asked, c rollout.Command) (rollout.Status, error) {
	c.Actor, c.Reason = actor(ctx, r.GetActor()), r.GetReason()
	v.model(r.GetModel())
	v.atMost("actor", c.Actor, maxName)
	v.atMost("reason", c.Reason, maxReason)
	if err := v.err(); err != nil {
		return rollout.Status{}, err
	}
	st, err := s.models.Do(ctx, r.GetModel(), c)
	if err != nil {
		s.log.InfoContext(ctx, "command not done", "model", r.GetModel(), "verb", c.Verb, "actor", c.Actor, "error", err)
		return rollout.Status{}, s.commandError(r.GetModel(), c, err)
	}
	return st, nil
}
