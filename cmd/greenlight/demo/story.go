package demo

import (
	"context"
	"fmt"
	"time"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
	"greenlight/examples/models"
	"greenlight/examples/modelserver"
)

// story is what the demo shows. Each act fails if it did not go as told.
type story struct {
	*stage
	teller *teller
}

func (s *story) tell(ctx context.Context) error {
	acts := []struct {
		title string
		play  func(context.Context) error
	}{
		{"1. A worse model is refused before any user meets it", s.refuseWorse},
		{"2. A good model is switched to", s.switchToGood},
		{"3. It fails while it bakes: users' traffic shows it, and all of it goes back by itself", s.failInBake},
		{"4. An operator rolls back by hand", s.rollBackByHand},
	}
	for i, act := range acts {
		s.teller.title(act.title)
		if err := act.play(ctx); err != nil {
			return fmt.Errorf("act %d: %w", i+1, err)
		}
	}
	return nil
}

func (s *story) refuseWorse(ctx context.Context) error {
	if err := s.release(ctx, models.Bad); err != nil {
		return err
	}
	began := time.Now()
	id, err := s.start(ctx, &adminv1.StartSwitchRequest{Reason: "the new model is out"})
	if err != nil {
		return err
	}
	ended, err := s.outcome(ctx, id)
	if err != nil {
		return err
	}
	if ended.Outcome != adminv1.Outcome_OUTCOME_REFUSED {
		return fmt.Errorf("the worse model was not refused: %v", ended)
	}
	s.teller.sayf("refused after %s: %s", since(began), ended.Cause)
	if met := s.load.Counts().ByColor["green"]; met != 0 {
		return fmt.Errorf("%d users met the worse model", met)
	}
	s.teller.sayf("of %d requests so far, green has answered none", s.load.Counts().Requests)
	return nil
}

func (s *story) switchToGood(ctx context.Context) error {
	if err := s.release(ctx, models.Equal); err != nil {
		return err
	}
	return s.switchUntilBake(ctx, &adminv1.StartSwitchRequest{Reason: "the better model is out"})
}

// switchUntilBake starts a switch, tells what users see of it, and returns when it bakes.
func (s *story) switchUntilBake(ctx context.Context, q *adminv1.StartSwitchRequest) error {
	began := time.Now()
	id, err := s.start(ctx, q)
	if err != nil {
		return err
	}
	_, err = s.load.Next(ctx, func(a lab.Answer) bool { return a.Color == "green" && !a.Failed() })
	if err != nil {
		return fmt.Errorf("no user met green: %w", err)
	}
	s.teller.sayf("all checks passed; the first user met green %s after the command, at weight 10%%", since(began))
	var seen float64
	baking, err := s.server.AwaitModel(ctx, models.Name, "the bake", func(m *adminv1.ModelStatus) bool {
		phase, w := m.GetState().GetPhase(), m.GetState().GetWeights().GetGreenPercent()
		if w > seen && phase == adminv1.Phase_PHASE_HOLDING {
			seen = w
			s.teller.sayf("green has %g%% of users' requests, confirmed by %d of %d Envoys", w, m.GetReport().GetAcked(), m.GetReport().GetConnected())
		}
		return phase == adminv1.Phase_PHASE_BAKING || m.GetState().GetSwitch().GetOutcome() != adminv1.Outcome_OUTCOME_UNSPECIFIED
	})
	if err != nil {
		return err
	}
	if baking.GetState().GetPhase() != adminv1.Phase_PHASE_BAKING {
		return fmt.Errorf("switch %s did not reach its bake: %s", id, baking.GetState().GetSwitch().GetCause())
	}
	s.teller.sayf("green has 100%% of users' requests, confirmed by all %d Envoys %s after the command (2 s of it are holds); green is live and bakes, blue stays warm",
		baking.GetReport().GetConnected(), since(began))
	return nil
}

func (s *story) failInBake(ctx context.Context) error {
	if err := s.fail(modelserver.Errors); err != nil {
		return err
	}
	bad, err := s.load.Next(ctx, lab.Answer.Failed)
	if err != nil {
		return fmt.Errorf("no user saw green fail: %w", err)
	}
	s.teller.sayf("green starts to answer %d", bad.Status)
	back, err := s.server.AwaitModel(ctx, models.Name, "the rollback", rolledBack)
	if err != nil {
		return err
	}
	s.teller.sayf("all traffic is back on blue %s after the first bad answer, confirmed by %d Envoys: %s",
		since(bad.Sent), back.GetReport().GetAcked(), back.GetState().GetSwitch().GetCause())
	return s.blueOnly(ctx)
}

func (s *story) rollBackByHand(ctx context.Context) error {
	if err := s.fail(modelserver.None); err != nil {
		return err
	}
	s.teller.sayf("green is healthy again; users were taken back from its version, so somebody has to say that it is tried again")
	if err := s.switchUntilBake(ctx, &adminv1.StartSwitchRequest{Reason: "second try", Again: true}); err != nil {
		return err
	}
	began := time.Now()
	_, err := s.server.Client.Rollback(ctx, &adminv1.RollbackRequest{Model: models.Name, Actor: "operator", Reason: "a customer called"})
	if err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	if _, err := s.server.AwaitModel(ctx, models.Name, "the rollback", rolledBack); err != nil {
		return err
	}
	s.teller.sayf("rolled back by hand: command to last Envoy's confirmation took %s", since(began))
	return s.blueOnly(ctx)
}

// release replaces green by a version and waits until Greenlight knows it.
func (s *story) release(ctx context.Context, version string) error {
	if err := s.deploy("green", version); err != nil {
		return err
	}
	_, err := s.server.AwaitModel(ctx, models.Name, "the registry to know green "+version, func(m *adminv1.ModelStatus) bool {
		green := m.GetEndpoints().GetGreen()
		for _, e := range green {
			if e.GetVersion() != version {
				return false
			}
		}
		return len(green) == perColor
	})
	s.teller.sayf("%d instances of %s are deployed as green", perColor, version)
	return err
}

func (s *story) start(ctx context.Context, q *adminv1.StartSwitchRequest) (string, error) {
	q.Model, q.Actor = models.Name, "demo"
	resp, err := s.server.Client.StartSwitch(ctx, q)
	if err != nil {
		return "", fmt.Errorf("start switch: %w", err)
	}
	return resp.GetSwitchId(), nil
}

// outcome waits for the end of a switch.
func (s *story) outcome(ctx context.Context, id string) (*adminv1.Switch, error) {
	m, err := s.server.AwaitModel(ctx, models.Name, "the end of switch "+id, func(m *adminv1.ModelStatus) bool {
		sw := m.GetState().GetSwitch()
		return sw.GetId() == id && sw.GetOutcome() != adminv1.Outcome_OUTCOME_UNSPECIFIED
	})
	return m.GetState().GetSwitch(), err
}

// blueOnly shows by users' own answers that nobody who asks now meets green.
func (s *story) blueOnly(ctx context.Context) error {
	const look = 100
	now := time.Now()
	answers, err := s.load.Collect(ctx, look, func(a lab.Answer) bool { return a.Sent.After(now) })
	if err != nil {
		return fmt.Errorf("look at users' answers: %w", err)
	}
	for _, a := range answers {
		if a.Color != "blue" {
			return fmt.Errorf("after the rollback was confirmed, %q answered %s with %d", a.Color, a.URL, a.Status)
		}
	}
	s.teller.sayf("the next %d users were all answered by blue", look)
	return nil
}

func rolledBack(m *adminv1.ModelStatus) bool {
	return m.GetState().GetSwitch().GetOutcome() == adminv1.Outcome_OUTCOME_ROLLED_BACK
}

func since(t time.Time) string { return time.Since(t).Round(time.Millisecond).String() }
