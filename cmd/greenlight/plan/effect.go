package plan

import "strings"

// Effect is when a changed field is felt.
type Effect string

// The effects.
const (
	AtOnce     Effect = "at-once"     // on every node, as soon as it has the routing
	NextSwitch Effect = "next-switch" // a running one keeps its plan
	Registry   Effect = "registry"    // the registry is asked anew
	Decides    Effect = "decides"     // it says what is live
	FirstSight Effect = "first-sight" // only when the model is met for the first time
	Figures    Effect = "figures"     // it is shown or counted with, and moves nothing
	Checks     Effect = "checks"      // where checks meet the fleet, from their next run on
	Turns      Effect = "turns"       // when switches may begin and go on, also running ones
	Retiring   Effect = "retiring"    // with the next switch, and who is asked to let instances of the last one go
)

// Meaning is the effect in words, to be read after the field's values.
func (e Effect) Meaning() string {
	switch e {
	case AtOnce:
		return "takes effect at once on every node"
	case Registry:
		return "asks the registry anew"
	case Decides:
		return "decides what is live"
	case FirstSight:
		return "counts only when the model is met for the first time"
	case Figures:
		return "is shown, and moves nothing"
	case Turns:
		return "decides at once when switches begin and go on"
	case Retiring:
		return "takes effect with the next switch; of one that is over, at once on who lets the old color go"
	case Checks:
		return "takes effect with the next run of checks"
	default:
		return "takes effect with the next switch"
	}
}

// effects is by the beginning of a field's path in a model's policy. What is not in
// it is part of a switch's plan.
var effects = map[string]Effect{
	"metadata.owners":  Figures,
	"spec.initialLive": FirstSight,
	"spec.live":        Decides,
	"spec.discovery":   Registry,
	"spec.route":       AtOnce,
	"spec.cost":        Figures,
	"spec.predict":     NextSwitch,
	"spec.validate":    NextSwitch,
	"spec.prepare":     NextSwitch,
	"spec.shift":       NextSwitch,
	"spec.judge":       NextSwitch,
	"spec.shadow":      NextSwitch,
	"spec.confirm":     NextSwitch,
	"spec.bake":        NextSwitch,
	"spec.rollback":    NextSwitch,
	"spec.approve":     NextSwitch,
	"spec.retire":      Retiring,
	"spec.calendar":    Turns,
	"spec.queue":       Turns,
	"spec.dependsOn":   Turns,
}

func modelEffect(path string) Effect {
	section := path
	if i := strings.IndexByte(path, '.'); i >= 0 {
		section = path[:i+1+len(firstKey(path[i+1:]))]
	}
	if e, known := effects[section]; known {
		return e
	}
	return NextSwitch
}

func fleetEffect(path string) Effect {
	if path == "spec.entry" {
		return Checks
	}
	return AtOnce
}

// firstKey is a path up to its first dot or bracket.
func firstKey(path string) string {
	if i := strings.IndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return path
}
