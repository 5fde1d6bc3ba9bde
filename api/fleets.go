package api

import (
	"context"
	"slices"
	"strings"

	"greenlight/api/adminv1"
	"greenlight/rollout"
)

// ListFleets implements adminv1.AdminServiceServer.
func (s *Server) ListFleets(context.Context, *adminv1.ListFleetsRequest) (*adminv1.ListFleetsResponse, error) {
	views := slices.Clone(s.fleets.Fleets())
	slices.SortFunc(views, func(a, b rollout.FleetView) int { return strings.Compare(a.Name, b.Name) })
	out := &adminv1.ListFleetsResponse{}
	for _, f := range views {
		out.Fleets = append(out.Fleets, Fleet(f))
	}
	return out, nil
}

// GetFleet implements adminv1.AdminServiceServer.
func (s *Server) GetFleet(_ context.Context, r *adminv1.GetFleetRequest) (*adminv1.GetFleetResponse, error) {
	var v violations
	if r.GetFleet() == "" {
		v.add("fleet", "must name a fleet")
	}
	v.atMost("fleet", r.GetFleet(), maxName)
	if err := v.err(); err != nil {
		return nil, err
	}
	var names []string
	for _, f := range s.fleets.Fleets() {
		if f.Name == r.GetFleet() {
			return &adminv1.GetFleetResponse{Fleet: Fleet(f)}, nil
		}
		names = append(names, f.Name)
	}
	return nil, notFound(ReasonNoFleet, "fleet", r.GetFleet(), names,
		"a fleet exists once a policy names it or a node with that node.cluster connects")
}
