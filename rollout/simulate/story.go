package simulate

import (
	"time"

	"greenlight/rollout"
)

// Line is one thing that happened.
type Line struct {
	At time.Time `json:"at"`
	// Transition is set for a change of phase; otherwise Text says what happened.
	Transition *rollout.Transition `json:"transition,omitempty"`
	Text       string              `json:"text,omitempty"`
}

// tell adds to the story.
func (w *World) tell(text string) {
	w.Story = append(w.Story, Line{At: w.now, Text: text})
}

// tellChange adds what a Step changed.
func (w *World) tellChange(before rollout.State) {
	after := w.state
	if sw := after.Switch; sw != nil {
		known := 0
		if before.Switch != nil && before.Switch.ID == sw.ID {
			known = len(before.Switch.Transitions)
		}
		for i := known; i < len(sw.Transitions); i++ {
			tr := sw.Transitions[i]
			w.Story = append(w.Story, Line{At: w.now, Transition: &tr})
		}
	}
	if before.Live == "" && after.Live != "" && after.Switch == nil {
		w.tell(string(after.Live) + " is live: it is met for the first time")
	}
}
