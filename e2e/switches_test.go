package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"greenlight/api/adminv1"
)

// plainSwitch is a switch that needs only endpoints, for tests that switch often.
var plainSwitch = map[string]string{"validate": "[{endpoints: {min: 2}}]"}

// turns switches back and forth n times, each to its end.
func (w *world) turns(n int) {
	w.t.Helper()
	for i := range n {
		want := []string{"green", "blue"}[i%2]
		sw := w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_SUCCEEDED)
		if to := colorName(sw.GetTo()); to != want {
			w.t.Fatalf("switch %d went to %s, want %s", i, to, want)
		}
	}
}

func colorName(c adminv1.Color) string {
	if c == adminv1.Color_COLOR_BLUE {
		return "blue"
	}
	return "green"
}

func TestThousandSwitchesUnderLoadCostNobodyARequest(t *testing.T) {
	each(t, func(t *testing.T, delta bool) {
		w := newWorld(t, worldOptions{delta: delta, rate: 500}, plainSwitch)
		began := time.Now()
		w.turns(1000)
		t.Logf("1000 switches in %v", time.Since(began).Round(time.Millisecond))
		w.onlyColor("blue", 100)
		counts := w.noFailures()
		if counts.ByColor["blue"] == 0 || counts.ByColor["green"] == 0 {
			t.Errorf("answers by color %v", counts.ByColor)
		}
	})
}

// The server is killed right before and right after each of its journal writes
// in a switch. Each time it resumes, the switch ends well, and users see nothing.
func TestKillBetweenAnyTwoJournalWrites(t *testing.T) {
	w := newWorld(t, worldOptions{}, map[string]string{
		"shift": "{steps: [{weight: 50%, hold: 100ms}, 100%]}", "bake": "{for: 300ms, every: 100ms}",
	})
	plain := w.server.Options.Env
	w.server.Kill()
	for _, side := range []string{"before", "after"} {
		crashed := true
		for n := 1; crashed; n++ {
			if n > 40 {
				t.Fatal("a switch should not need 40 journal writes")
			}
			w.server.Options.Env = append(plain[:len(plain):len(plain)], fmt.Sprintf("%s=%s:%d", crashVariable, side, n))
			key := fmt.Sprintf("%s-%d", side, n)
			crashed = w.switchThroughCrash(key, plain)
			t.Logf("%s write %d: crashed: %v", side, n, crashed)
		}
	}
	must(t, w.server.Start(w.within(patience)))
	w.noFailures()
}

// switchThroughCrash starts the server as its options say, asks for a switch,
// and, when the server dies, starts it again without the crash and asks again
// with the same key. It leaves no server running and reports whether it died.
func (w *world) switchThroughCrash(key string, plain []string) (crashed bool) {
	w.t.Helper()
	ask := func(ctx context.Context) (string, error) {
		resp, err := w.server.Client.StartSwitch(ctx, &adminv1.StartSwitchRequest{Model: "tumor", Actor: "e2e", IdempotencyKey: key})
		return resp.GetSwitchId(), err
	}
	ended := func(ctx context.Context, id string) error {
		_, err := w.server.AwaitModel(ctx, "tumor", "the end of "+id, func(m *adminv1.ModelStatus) bool {
			sw := m.GetState().GetSwitch()
			return sw.GetId() == id && sw.GetOutcome() != adminv1.Outcome_OUTCOME_UNSPECIFIED
		})
		return err
	}
	defer func() { w.server.Kill() }()
	if err := w.server.Start(w.within(patience)); err == nil {
		ctx, cancel := context.WithCancel(w.within(patience))
		go func(done <-chan struct{}) { <-done; cancel() }(w.server.Proc.Done())
		if id, err := w.askUntilAnswered(ctx, ask); err == nil && ended(ctx, id) == nil {
			w.expect(id)
			return false
		}
	}
	<-w.server.Proc.Done()
	w.server.Options.Env = plain
	must(w.t, w.server.Start(w.within(patience)))
	id, err := w.askUntilAnswered(w.within(patience), ask)
	must(w.t, err)
	must(w.t, ended(w.within(patience), id))
	w.expect(id)
	return true
}

// askUntilAnswered repeats a command while the server comes up: it is not
// reachable yet, or does not know the model or its endpoints yet.
func (w *world) askUntilAnswered(ctx context.Context, ask func(context.Context) (string, error)) (string, error) {
	for {
		id, err := ask(ctx)
		switch status.Code(err) {
		case codes.Unavailable, codes.NotFound, codes.FailedPrecondition:
		default:
			return id, err
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%w; last answer: %w", ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// expect checks that a switch succeeded and that users get its color.
func (w *world) expect(id string) {
	w.t.Helper()
	sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
	w.onlyColor(colorName(sw.GetTo()), 50)
}
