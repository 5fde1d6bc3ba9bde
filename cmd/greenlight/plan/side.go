package plan

import (
	"cmp"
	"slices"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

// tokenPlaceholder stands for the token of a preview, which no plan knows.
const tokenPlaceholder = "TOKEN"

// side is what all fleets are given, before or after the change.
type side struct {
	fleets map[string]*policy.Fleet
	models map[string]resource.Model
	// hosts is the models of each virtual host of each fleet, by name.
	hosts map[string]map[string][]string
}

func newSide(fleets map[string]policy.FleetEntry) side {
	s := side{fleets: map[string]*policy.Fleet{}, models: map[string]resource.Model{}, hosts: map[string]map[string][]string{}}
	for name, e := range fleets {
		if e.Fleet != nil {
			s.fleets[name] = e.Fleet
		}
	}
	return s
}

// add routes a model.
func (s side) add(r rollout.Routing) {
	m := resource.Model{Policy: r.Policy, Live: r.Live, Weights: r.Weights, Mirror: r.Mirror}
	if r.Policy.Route.PreviewToken != nil {
		m.Token = tokenPlaceholder
	}
	s.models[r.Policy.Name] = m
	for _, fleet := range r.Policy.Route.Fleets {
		if s.hosts[fleet] == nil {
			s.hosts[fleet] = map[string][]string{}
		}
		for _, host := range r.Policy.Route.Hosts {
			s.hosts[fleet][host] = append(s.hosts[fleet][host], r.Policy.Name)
		}
	}
}

// routes reports whether fleet routes the model.
func (s side) routes(fleet, model string) bool {
	m, there := s.models[model]
	return there && slices.Contains(m.Policy.Route.Fleets, fleet)
}

// routesName is the name of the fleet's route configuration.
func (s side) routesName(fleet string) string {
	if f := s.fleets[fleet]; f != nil {
		return f.Routes
	}
	return fleet
}

// configured reports whether the fleet has a route configuration: a file describes
// it, or a model is routed there.
func (s side) configured(fleet string) bool { return s.fleets[fleet] != nil || len(s.hosts[fleet]) > 0 }

// supposedRouting is that of a model of unknown standing: where the policy begins, with
// all users on one color.
func supposedRouting(p *policy.Model) rollout.Routing {
	live := cmp.Or(p.Wanted.Color, p.InitialLive, policy.Blue)
	return rollout.Routing{Policy: p, Live: live, Weights: rollout.AllOn(live)}
}
