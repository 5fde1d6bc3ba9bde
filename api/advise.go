package api

import (
	"context"
	"errors"

	"greenlight/api/adminv1"
	"greenlight/rollout"
)

// Advise implements adminv1.AdminServiceServer.
func (s *Server) Advise(_ context.Context, r *adminv1.AdviseRequest) (*adminv1.AdviseResponse, error) {
	if err := checkModel(r.GetModel()); err != nil {
		return nil, err
	}
	st, ok := s.status(r.GetModel())
	if !ok {
		return nil, s.noModel(r.GetModel())
	}
	if st.Policy == nil {
		return nil, refusal(r.GetModel(), rollout.Command{}, &rollout.RefusedError{
			Code: rollout.NotNow, Message: r.GetModel() + " has no policy in force: correct the file first",
		})
	}
	advice, err := rollout.Advise(st)
	if refused, ok := errors.AsType[*rollout.RefusedError](err); ok {
		return nil, refusal(r.GetModel(), rollout.Command{}, refused)
	}
	return &adminv1.AdviseResponse{
		Best: shapes[advice.Best], Why: advice.Why, Basis: adviceBasis(advice.Basis), Options: list(advice.Options, adviceOption),
	}, nil
}
