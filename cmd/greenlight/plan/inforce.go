package plan

import (
	"encoding/json"
	"fmt"

	"greenlight/api"
	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
)

// InForce is what a server has in force as the basis.
func InForce(name string, r *adminv1.ListPoliciesResponse) (Basis, error) {
	if r.GetFormat() != api.PoliciesFormat {
		return Basis{}, fmt.Errorf("%s tells its policies in format %d, and this program reads format %d: use the version of greenlight that the server has",
			name, r.GetFormat(), api.PoliciesFormat)
	}
	b := Basis{
		Name: name, Folder: r.GetFolder(), Files: r.GetFilesFolder(), AllowRemoval: r.GetAllowRemoval(), At: r.GetAt().AsTime(),
		Set:     policy.Set{Models: map[string]policy.Entry{}, Fleets: map[string]policy.FleetEntry{}},
		InForce: map[string]*policy.Model{}, States: map[string]rollout.State{}, Nodes: map[string]int{},
	}
	if o := r.GetOrigin(); o.GetCommit() != nil {
		commit := policy.Commit{ID: o.GetCommit().GetId()}
		b.Name += ", commit " + commit.Short()
	}
	if p := r.GetOrigin().GetProblem(); p != "" {
		b.Notes = append(b.Notes, "now, "+Clean(p))
	}
	for _, m := range r.GetModels() {
		if err := b.take(m); err != nil {
			return Basis{}, fmt.Errorf("read what %s says of model %s: %w", name, m.GetModel(), err)
		}
	}
	for _, f := range r.GetFleets() {
		b.Nodes[f.GetFleet()] = int(f.GetConnected())
		if p := f.GetProblem(); p != "" {
			b.Notes = append(b.Notes, "now, fleet "+f.GetFleet()+": "+Clean(p))
		}
		if len(f.GetPolicy()) == 0 {
			continue
		}
		described := &policy.Fleet{}
		if err := json.Unmarshal(f.GetPolicy(), described); err != nil {
			return Basis{}, fmt.Errorf("read what %s says of fleet %s: %w", name, f.GetFleet(), err)
		}
		b.Set.Fleets[f.GetFleet()] = policy.FleetEntry{Fleet: described}
	}
	return b, nil
}

// take takes what the server says of one model.
func (b *Basis) take(m *adminv1.ModelInForce) error {
	if p := m.GetProblem(); p != "" {
		b.Notes = append(b.Notes, "now, model "+m.GetModel()+": "+Clean(p))
	}
	if len(m.GetPolicy()) == 0 && len(m.GetFiled()) == 0 {
		return nil // there never was a good one
	}
	inForce, filed := m.GetPolicy(), m.GetFiled()
	if len(filed) == 0 {
		filed = inForce
	}
	entry := policy.Entry{Model: &policy.Model{}}
	if err := json.Unmarshal(filed, entry.Model); err != nil {
		return err
	}
	b.Set.Models[m.GetModel()] = entry
	if len(inForce) > 0 && len(m.GetFiled()) > 0 {
		other := &policy.Model{}
		if err := json.Unmarshal(inForce, other); err != nil {
			return err
		}
		b.InForce[m.GetModel()] = other
	}
	var state rollout.State
	if err := json.Unmarshal(m.GetState(), &state); err != nil {
		return err
	}
	var facts api.Facts
	if err := json.Unmarshal(m.GetFacts(), &facts); err != nil {
		return err
	}
	state.Facts = rollout.Facts{
		Endpoints: facts.Endpoints, EndpointsKnown: facts.EndpointsKnown, Report: facts.Report, ReportKnown: facts.ReportKnown,
	}
	b.States[m.GetModel()] = state
	return nil
}
