package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
	"greenlight/examples/models"
	"greenlight/examples/modelserver"
)

// badTurns is how often a new color fails in BenchmarkFigureTakenBack.
const badTurns = 20

// BenchmarkFigureTakenBack is the time from the first bad answer that a user got
// to the last answer of the new color, at 500 requests a second, with reports
// every second; and the time that the rollback itself took of it.
func BenchmarkFigureTakenBack(b *testing.B) {
	w := newWorld(b, worldOptions{envoys: 1, listener: true, rate: -1}, watched(map[string]string{
		"shift": "{steps: [{weight: 50%, hold: 60s}, 100%], checks: []}",
	}))
	var all, itself []time.Duration
	for i := range badTurns {
		w.deployAs("green", models.Equal, fmt.Sprintf("bad-%d", i), 2)
		took, rollback := w.takenBack()
		all, itself = append(all, took), append(itself, rollback)
	}
	slices.Sort(all)
	slices.Sort(itself)
	const goal, goalItself = 3 * time.Second, 100 * time.Millisecond
	fmt.Printf("\nA version that begins to fail, first bad answer to its last answer, %d times at 500 requests a second:\n", badTurns)
	fmt.Printf("  p50 %v, most %v (goal: at most %v)\n  of it the rollback, publish to every node's ACK: p50 %v, most %v (goal: at most %v)\n",
		at(all, 0.5), at(all, 1), goal, at(itself, 0.5), at(itself, 1), goalItself)
	b.ReportMetric(float64(at(all, 1))/1e6, "most-ms")
	b.ReportMetric(float64(at(itself, 1))/1e6, "rollback-most-ms")
	b.ReportMetric(0, "ns/op")
	if at(all, 1) > goal || at(itself, 1) > goalItself {
		b.Errorf("MISSED: %v of %v, the rollback %v of %v", at(all, 1), goal, at(itself, 1), goalItself)
	}
}

// takenBack lets green fail once it has users, and measures.
func (w *world) takenBack() (all, rollback time.Duration) {
	w.t.Helper()
	w.load = lab.StartLoad(lab.LoadOptions{
		URLs: []string{w.url(w.envoys[0], inferPath)}, Host: host, Body: knownRequest(w.t), Rate: 500, Timeout: time.Minute,
		Expected: func(lab.Answer) bool { return true },
	})
	defer w.load.Stop()
	id := w.start()
	w.awaitWeight(50)
	w.await("some good answers", func(m *adminv1.ModelStatus) bool { return m.GetState().GetJudging().GetIdle().GetRequests() > 250 })
	bad := make(chan time.Time, 1)
	go func() {
		first, err := w.load.Next(w.within(patience), func(a lab.Answer) bool { return a.Status != http.StatusOK })
		if err == nil {
			bad <- first.Sent
		}
		close(bad)
	}()
	w.failing(modelserver.Fault{Mode: modelserver.Errors})
	first, ok := <-bad
	if !ok {
		w.t.Fatal("no bad answer")
	}
	sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_ROLLED_BACK)
	w.onlyColor("blue", 100)
	story := sw.GetTransitions()
	back, done := story[len(story)-2], story[len(story)-1]
	if back.GetTo() != adminv1.Phase_PHASE_ROLLING_BACK {
		w.t.Fatalf("the story ends with %v", story)
	}
	return done.GetAt().AsTime().Sub(first), done.GetAt().AsTime().Sub(back.GetAt().AsTime())
}
