package policy_test

import (
	"encoding/json"
	"testing"
	"time"

	"greenlight/policy"
)

// A model's calendar answers, and one that was stored and read back does, too.
func TestAStoredModelKeepsItsCalendar(t *testing.T) {
	m, problems := with(`calendar: {zone: America/New_York, windows: [{days: sun, from: 01:30, to: "04:00"}], freeze: [{from: 2026-12-20, to: 2027-01-03, reason: end of the year}]}`)
	if m == nil {
		t.Fatal(problems)
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var back policy.Model
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	for at, open := range map[string]bool{
		"2026-11-01T05:45:00Z": false, // 01:45 EDT, which comes again
		"2026-11-01T06:45:00Z": true,  // 01:45 EST
		"2026-11-01T09:00:00Z": false,
		"2026-12-20T07:00:00Z": false, // frozen
	} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if v := m.Calendar.At(now); v.Open != open || v != back.Calendar.At(now) {
			t.Errorf("at %s: %+v, and read back %+v", at, v, back.Calendar.At(now))
		}
	}
}

// Without a calendar a model may always be moved, and nothing is stored of one.
func TestNoCalendar(t *testing.T) {
	m, _ := with("bake: {for: 1m}")
	if v := m.Calendar.At(time.Unix(0, 0)); !v.Open || !v.Until.IsZero() {
		t.Errorf("%+v", v)
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	if _, stored := fields["calendar"]; stored {
		t.Errorf("an empty calendar is stored: %s", text)
	}
}
