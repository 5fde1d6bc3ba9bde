package api

import (
	"context"
	"slices"
	"strings"

	"greenlight/api/adminv1"
	"greenlight/rollout"
)

// ListModels implements adminv1.AdminServiceServer.
func (s *Server) ListModels(context.Context, *adminv1.ListModelsRequest) (*adminv1.ListModelsResponse, error) {
	out := &adminv1.ListModelsResponse{Policies: policyOrigin(s.origin())}
	for _, st := range s.statuses() {
		out.Models = append(out.Models, ModelStatus(st))
	}
	return out, nil
}

// GetModel implements adminv1.AdminServiceServer.
func (s *Server) GetModel(_ context.Context, r *adminv1.GetModelRequest) (*adminv1.GetModelResponse, error) {
	if err := checkModel(r.GetModel()); err != nil {
		return nil, err
	}
	st, ok := s.status(r.GetModel())
	if !ok {
		return nil, s.noModel(r.GetModel())
	}
	return &adminv1.GetModelResponse{Model: ModelStatus(st)}, nil
}

// statuses is every model's status, sorted by name.
func (s *Server) statuses() []rollout.Status {
	all := slices.Clone(s.models.Statuses())
	slices.SortFunc(all, func(a, b rollout.Status) int {
		return strings.Compare(a.State.Model, b.State.Model)
	})
	return all
}

func (s *Server) status(model string) (rollout.Status, bool) {
	for _, st := range s.models.Statuses() {
		if st.State.Model == model {
			return st, true
		}
	}
	return rollout.Status{}, false
}
