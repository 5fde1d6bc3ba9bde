package cli_test

import (
	"errors"
	"fmt"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/record"
	"greenlight/rollout/simulate"
)

// recordedPolicy is what a recorded switch ran under.
const recordedPolicy = `apiVersion: greenlight/v1
kind: Model
metadata: {name: %s}
spec:
  discovery: {service: %[1]s}
  route: {fleets: [edge]}
  shift: %s
  retire: {webhook: "https://deploy.internal/retire"}
`

// recorded is a switch of which the fake server has a recording.
type recorded struct {
	model, shift string
	given        func(*simulate.Given)
	before       func(*simulate.World) error // until the switch begins
	begin        rollout.Command
	lasts        time.Duration
}

// tenMinutes is what comes before most switches.
func tenMinutes(w *simulate.World) error { return w.Run(w.Now().Add(10 * time.Minute)) }

func recordings() map[string]recorded {
	return map[string]recorded{
		// A version that failed one request in a hundred.
		"20261102T100000-fraud-0002": {
			model: "fraud", shift: "{canary: {weight: 5%, hold: 15m}}", before: tenMinutes, lasts: 20 * time.Minute,
			given: func(g *simulate.Given) { g.Traffic.Green.Errors = 0.01 },
			begin: rollout.Command{Verb: rollout.Start, Actor: "ci"},
		},
		// Four instances that made room one after the other, and each got a new one in its place.
		"20261103T100000-giant-0001": {
			model: "giant", shift: "{rolling: {batch: 1, capacity: 75%, hold: 5m}}", before: tenMinutes, lasts: time.Hour,
			given: func(g *simulate.Given) {
				g.Registry.Blue.Ready, g.Registry.Green.Ready, g.Retire.Replaced = 4, 0, 2*time.Minute
				g.Traffic.Green.Errors = 0.0001
			},
			begin: rollout.Command{Verb: rollout.Start, Actor: "ci"},
		},
		// Back to before a switch that has succeeded, after another one was given up.
		"20261104T100000-fraud-0005": {
			model: "fraud", shift: "{steps: [100%]}", lasts: time.Minute, given: func(*simulate.Given) {},
			before: func(w *simulate.World) error {
				err := tenMinutes(w)
				w.Command(rollout.Command{Verb: rollout.Start, ID: "20261104T090000-fraud-0003", Actor: "ci"})
				err = errors.Join(err, w.Run(w.Now().Add(time.Hour)))
				w.Command(rollout.Command{Verb: rollout.Start, ID: "20261104T095000-fraud-0004", Actor: "ci"})
				w.Command(rollout.Command{Verb: rollout.Abort, Actor: "ann"})
				return errors.Join(err, w.Run(w.Now().Add(time.Minute)))
			},
			begin: rollout.Command{Verb: rollout.RollBack, Actor: "ann", Before: &rollout.Earlier{ID: "20261104T090000-fraud-0003", Color: policy.Blue, Version: "v1"}},
		},
	}
}

// Recording implements api.History.
func (f *fake) Recording(id string) (*record.Recording, error) {
	r, known := recordings()[id]
	if !known {
		return nil, nil
	}
	models, _, problems := policy.Parse(r.model+".yaml", fmt.Appendf(nil, recordedPolicy, r.model, r.shift), "")
	if len(problems) > 0 {
		return nil, errors.New(problems[0].String())
	}
	g := simulate.Typical()
	g.Traffic.Rate = 200
	r.given(&g)
	day, err := time.Parse("20060102", id[:8])
	w := simulate.New(r.model, policy.Entry{Model: models[0]}, day.Add(9*time.Hour+50*time.Minute), g, "")
	err = errors.Join(err, r.before(w))
	var recorder record.Recorder
	w.Heard = recorder.Hear
	r.begin.ID = id
	if no := w.Command(r.begin); no != nil {
		err = errors.Join(err, errors.New(no.Message))
	}
	err = errors.Join(err, w.Run(w.Now().Add(r.lasts)))
	_, entries := recorder.Take(w.Now(), true)
	return &record.Recording{Switch: *w.State().Switch, Entries: entries}, err
}
