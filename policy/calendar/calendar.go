// Package calendar tells when a model may be moved: inside a window, and never
// in a freeze.
//
// It is pure: the time is an argument, and nothing is read but the time zone.
// What a clock reading means while clocks change is said in stretch.go.
package calendar

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// Plan is a calendar as it is written.
type Plan struct {
	// Zone is the time zone of every clock reading below, as in Europe/Berlin.
	Zone    string `json:"zone,omitempty"`
	Windows []Span `json:"windows,omitempty"` // none: open whenever no freeze says otherwise
	Freeze  []Span `json:"freeze,omitempty"`
}

// Calendar is a plan that was understood. It is immutable, and the zero value
// is always open. In JSON it is its plan.
type Calendar struct {
	plan    Plan
	windows union
	freezes union
}

// New understands a plan. The error names what is wrong first.
func New(plan Plan) (Calendar, error) {
	if len(plan.Windows) == 0 && len(plan.Freeze) == 0 {
		return Calendar{}, nil
	}
	if says := ZoneFault(plan.Zone); says != "" {
		return Calendar{}, fmt.Errorf("zone %q: %s", plan.Zone, says)
	}
	zone, err := load(plan.Zone)
	if err != nil {
		return Calendar{}, err
	}
	c := Calendar{plan: plan.clone()}
	if c.windows, err = understand("window", c.plan.Windows, zone, false); err != nil {
		return Calendar{}, err
	}
	if c.freezes, err = understand("freeze", c.plan.Freeze, zone, true); err != nil {
		return Calendar{}, err
	}
	return c, nil
}

func understand(what string, spans []Span, zone *time.Location, freeze bool) (union, error) {
	var out union
	for i, s := range spans {
		if faults := s.Check(); len(faults) > 0 {
			return nil, fmt.Errorf("%s %d: %s: %s", what, i, faults[0].Field, faults[0].Says)
		}
		out = append(out, s.pattern(zone, freeze))
	}
	return out, nil
}

func (p Plan) clone() Plan {
	p.Windows, p.Freeze = cloneSpans(p.Windows), cloneSpans(p.Freeze)
	return p
}

// cloneSpans writes nothing and none alike, so that a plan is the same after
// its way through JSON.
func cloneSpans(spans []Span) []Span {
	if len(spans) == 0 {
		return nil
	}
	spans = slices.Clone(spans)
	for i := range spans {
		if spans[i].Days = slices.Clone(spans[i].Days); len(spans[i].Days) == 0 {
			spans[i].Days = nil
		}
	}
	return spans
}

// Plan is what the calendar was made of.
func (c Calendar) Plan() Plan { return c.plan.clone() }

// IsZero reports whether the calendar closes nothing.
func (c Calendar) IsZero() bool { return len(c.plan.Windows) == 0 && len(c.plan.Freeze) == 0 }

// Equal reports whether both were made of the same plan.
func (c Calendar) Equal(other Calendar) bool { return reflect.DeepEqual(c.plan, other.plan) }

// MarshalJSON writes the plan.
func (c Calendar) MarshalJSON() ([]byte, error) { return json.Marshal(c.plan) }

// UnmarshalJSON reads a plan and understands it.
func (c *Calendar) UnmarshalJSON(text []byte) error {
	var plan Plan
	if err := json.Unmarshal(text, &plan); err != nil {
		return err
	}
	read, err := New(plan)
	if err != nil {
		return fmt.Errorf("calendar: %w", err)
	}
	*c = read
	return nil
}
