package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
)

// PoliciesFormat is the version of the JSON in ListPolicies' answer.
const PoliciesFormat = 1

// Filed is what the policy files say.
type Filed struct {
	// Set is what was good in them last.
	Set policy.Set
	// Folder is the policy folder, as the files in Set are named, and Files is the same
	// as the policies name the files that they use. They differ for a repository.
	Folder, Files string
	// AllowRemoval: what is gone from the files goes out of force.
	AllowRemoval bool
}

// Facts is what a model's state is judged by: the JSON of ModelInForce.facts.
type Facts struct {
	Endpoints      rollout.EndpointSet `json:"endpoints"`
	EndpointsKnown bool                `json:"endpointsKnown"`
	Report         rollout.Report      `json:"report"`
	ReportKnown    bool                `json:"reportKnown"`
}

// ListPolicies implements adminv1.AdminServiceServer.
func (s *Server) ListPolicies(context.Context, *adminv1.ListPoliciesRequest) (*adminv1.ListPoliciesResponse, error) {
	filed := s.policies()
	out := &adminv1.ListPoliciesResponse{
		Format: PoliciesFormat, At: at(time.Now()), Folder: filed.Folder, FilesFolder: filed.Files, AllowRemoval: filed.AllowRemoval,
		Origin: policyOrigin(filed.Set.Origin),
	}
	for _, st := range s.statuses() {
		m, err := modelInForce(st, filed.Set.Models[st.State.Model])
		if err != nil {
			return nil, status.Errorf(codes.Internal, "model %s: %v", st.State.Model, err)
		}
		out.Models = append(out.Models, m)
	}
	fleets, err := fleetsInForce(filed.Set.Fleets, s.fleets.Fleets())
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	out.Fleets = fleets
	return out, nil
}

func modelInForce(st rollout.Status, filed policy.Entry) (*adminv1.ModelInForce, error) {
	out := &adminv1.ModelInForce{
		Model: st.State.Model, Problem: st.PolicyProblem, Drift: st.Drift,
		Live: colors[st.State.Live], Weights: weights(st.State.Weights), Phase: phases[st.State.Phase],
		BlueVersions: st.Endpoints.Versions(policy.Blue), GreenVersions: st.Endpoints.Versions(policy.Green),
	}
	other := filed.Model
	if other != nil && st.Policy != nil && other.Source.Hash == st.Policy.Source.Hash {
		other = nil
	}
	state := st.State
	if state.Switch != nil {
		sw := *state.Switch
		sw.Verdicts = nil
		state.Switch = &sw
	}
	facts := Facts{
		Endpoints: st.Endpoints, EndpointsKnown: st.State.Facts.EndpointsKnown,
		Report: st.Report, ReportKnown: st.State.Facts.ReportKnown,
	}
	var err error
	write := func(to *[]byte, v any) {
		if err == nil {
			*to, err = json.Marshal(v)
		}
	}
	if st.Policy != nil {
		write(&out.Policy, st.Policy)
	}
	if other != nil {
		write(&out.Filed, other)
	}
	write(&out.State, state)
	write(&out.Facts, facts)
	return out, err
}

// fleetsInForce is the described fleets and those that models or nodes name.
func fleetsInForce(described map[string]policy.FleetEntry, views []rollout.FleetView) ([]*adminv1.FleetInForce, error) {
	byName := map[string]*adminv1.FleetInForce{}
	for name, e := range described {
		f := &adminv1.FleetInForce{Fleet: name, Problem: e.Problem}
		if e.Fleet != nil {
			raw, err := json.Marshal(e.Fleet)
			if err != nil {
				return nil, fmt.Errorf("fleet %s: %w", name, err)
			}
			f.Policy = raw
		}
		byName[name] = f
	}
	for _, v := range views {
		f := byName[v.Name]
		if f == nil {
			f = &adminv1.FleetInForce{Fleet: v.Name}
			byName[v.Name] = f
		}
		for _, n := range v.Nodes {
			if n.Connected {
				f.Connected++
			} else {
				f.Stale++
			}
		}
	}
	out := make([]*adminv1.FleetInForce, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, byName[name])
	}
	return out, nil
}
