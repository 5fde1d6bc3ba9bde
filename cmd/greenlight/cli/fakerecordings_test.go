package cli_test

import (
	"errors"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/record"
	"greenlight/rollout/simulate"
)

// recordedID is the switch of which the fake server has a recording.
const recordedID = "20261102T100000-fraud-0002"

// recordedPolicy is what it ran under.
const recordedPolicy = `apiVersion: greenlight/v1
kind: Model
metadata: {name: fraud}
spec:
  discovery: {service: fraud}
  route: {fleets: [edge]}
  shift: {canary: {weight: 5%, hold: 15m}}
`

// Recording implements api.History: a switch to a version that failed one request in
// a hundred.
func (f *fake) Recording(id string) (*record.Recording, error) {
	if id != recordedID {
		return nil, nil
	}
	models, _, problems := policy.Parse("fraud.yaml", []byte(recordedPolicy), "")
	if len(problems) > 0 {
		return nil, errors.New(problems[0].String())
	}
	g := simulate.Typical()
	g.Traffic.Rate, g.Traffic.Green.Errors = 200, 0.01
	began := time.Date(2026, 11, 2, 9, 50, 0, 0, time.UTC)
	w := simulate.New("fraud", policy.Entry{Model: models[0]}, began, g, "")
	var recorder record.Recorder
	w.Heard = recorder.Hear
	err := w.Run(began.Add(10 * time.Minute))
	w.Command(rollout.Command{Verb: rollout.Start, ID: recordedID, Actor: "ci"})
	err = errors.Join(err, w.Run(began.Add(30*time.Minute)))
	_, entries := recorder.Take(w.Now(), true)
	return &record.Recording{Switch: *w.State().Switch, Entries: entries}, err
}
