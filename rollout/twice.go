package rollout

import (
	"time"

	"greenlight/policy"
)

// Twice counts the instance-hours of the color that is not live: what running a
// model twice takes, by the registry. Ready or not, an instance that is registered
// is paid for.
type Twice struct {
	// Instances stand since Since, and Hours are the instance-hours before that.
	Instances int       `json:"instances"`
	Since     time.Time `json:"since,omitzero"`
	Hours     float64   `json:"hours"`
}

// At is the instance-hours up to now.
func (w Twice) At(now time.Time) float64 {
	if w.Instances == 0 || w.Since.IsZero() {
		return w.Hours
	}
	return w.Hours + float64(w.Instances)*max(0, now.Sub(w.Since).Hours())
}

// with is w with so many instances from now on.
func (w Twice) with(instances int, now time.Time) Twice {
	if instances == w.Instances {
		return w
	}
	return Twice{Instances: instances, Since: now, Hours: w.At(now)}
}

// countTwice takes in how many instances are not live. What a registry that is not
// trusted says changes nothing.
func (t *turn) countTwice() {
	f, sw := t.s.Facts, t.s.Switch
	if t.s.Live == "" {
		return
	}
	second := t.s.Twice.Instances
	if f.trusted() {
		idle := t.s.Live.Other()
		second = f.ready(idle) + f.Endpoints.Unready[idle]
		if t.s.Phase.Running() && t.rolling() && t.s.Rolled.Total > 0 { // only what is more than there was
			second = max(0, second+f.ready(t.s.Live)+f.Endpoints.Unready[t.s.Live]-t.s.Rolled.Total)
		}
	}
	t.s.Twice = t.s.Twice.with(second, t.now)
	if sw == nil {
		return
	}
	if !t.s.canReturn() && t.s.Phase != RollingBack {
		second = 0
	}
	sw.Twice = sw.Twice.with(second, t.now)
}

// WarmUp is how long the instances of a color took to get ready.
type WarmUp struct {
	// Took is the time from the first instance that was registered and not ready, of a
	// color that had none ready, until all of them were; 0 when not measured yet.
	Took time.Duration `json:"took,omitempty"`
	// Since is when the instances appeared that are getting ready now, by color.
	Since ByColor[time.Time] `json:"since,omitzero"`
}

// noteWarmUp measures it from what the registry says.
func (t *turn) noteWarmUp() {
	f := t.s.Facts
	if !f.trusted() {
		return
	}
	for _, c := range policy.Colors {
		ready, unready := f.ready(c), f.Endpoints.Unready[c]
		since := t.s.WarmUp.Since.At(c)
		switch {
		case ready == 0 && unready > 0 && since.IsZero():
			*since = t.now
		case ready == 0 && unready == 0:
			*since = time.Time{}
		case unready == 0 && !since.IsZero():
			t.s.WarmUp.Took, *since = t.now.Sub(*since), time.Time{}
		}
	}
}
