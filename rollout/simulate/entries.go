package simulate

import (
	"fmt"

	"greenlight/policy"
	"greenlight/rollout"
)

// SetFleets says where the fleets take users' requests, as their policies have it. Of
// those whose listener is not known, no request goes through the route.
func (w *World) SetFleets(fleets map[string]policy.FleetEntry) {
	w.fleet.entries = nil
	for _, name := range w.policies.force.Route.Fleets {
		switch f := fleets[name].Fleet; {
		case f == nil:
		case f.Entry != "":
			w.fleet.entries = append(w.fleet.entries, rollout.Entry{Fleet: name, Address: f.Entry})
		case f.Listener != nil:
			w.fleet.entries = append(w.fleet.entries, rollout.Entry{
				Fleet: name, Node: name + "-1", Address: fmt.Sprintf("10.0.0.1:%d", f.Listener.Port),
			})
		}
	}
}
