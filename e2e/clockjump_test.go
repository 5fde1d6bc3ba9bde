package e2e

import (
	"encoding/binary"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"greenlight/api/adminv1"
	"greenlight/examples/models"
	"greenlight/examples/modelserver"
)

// wallClock moves the wall clock of the Envoys that it is preloaded into.
type wallClock struct {
	t    *testing.T
	file string
	env  []string
}

func newWallClock(t *testing.T) *wallClock {
	t.Helper()
	dir := t.TempDir()
	library := filepath.Join(dir, "clock.so")
	out, err := exec.CommandContext(t.Context(), "cc", "-shared", "-fPIC", "-O2", "-o", library, "testdata/clock.c", "-ldl").CombinedOutput()
	if err != nil {
		t.Fatalf("compile clock.c (the race detector needs a C compiler, too): %v: %s", err, out)
	}
	c := &wallClock{t: t, file: filepath.Join(dir, "shift")}
	must(t, os.WriteFile(c.file, make([]byte, 8), 0o600))
	c.env = []string{"LD_PRELOAD=" + library, "CLOCK_SHIFT=" + c.file}
	return c
}

// set shows the Envoys a time that is by so much from the true one.
func (c *wallClock) set(by time.Duration) {
	c.t.Helper()
	f, err := os.OpenFile(c.file, os.O_WRONLY, 0)
	must(c.t, err)
	defer f.Close()
	var seconds [8]byte
	binary.NativeEndian.PutUint64(seconds[:], uint64(int64(by/time.Second)))
	_, err = f.WriteAt(seconds[:], 0)
	must(c.t, err)
}

// shows is how far an Envoy's clock is from the true one, by the date that its admin
// interface gives.
func shows(t *testing.T, admin string) time.Duration {
	t.Helper()
	resp, err := http.Get("http://" + admin + "/ready")
	must(t, err)
	defer resp.Body.Close()
	date, err := http.ParseTime(resp.Header.Get("Date"))
	must(t, err)
	return time.Until(date).Round(time.Minute)
}

// An Envoy whose clock is set forward and back in the middle of a step says no less of
// its users for it: an equal version goes through, and a worse one is taken back.
func TestEnvoysClockJumps(t *testing.T) {
	t.Parallel()
	clock := newWallClock(t)
	w := newWorld(t, worldOptions{envoys: 1, listener: true, rate: -1, envoyEnv: clock.env},
		watched(map[string]string{"shift": "{steps: [{weight: 20%, hold: 20s}, 100%], checks: []}"}))
	jump := func(by time.Duration) {
		t.Helper()
		clock.set(by)
		w.await("the Envoy's clock", func(*adminv1.ModelStatus) bool { return shows(t, w.envoys[0].Admin) == by })
	}
	w.usersLoad(100)
	id := w.start()
	w.awaitWeight(20)
	for _, by := range []time.Duration{time.Hour, -2 * time.Hour, 0} {
		jump(by)
		told := w.status().GetTraffic().GetUntil().AsTime()
		m := w.await("reports after the jump", func(m *adminv1.ModelStatus) bool {
			return m.GetTraffic().GetUntil().AsTime().After(told.Add(2 * time.Second))
		})
		if len(m.GetSilentNodes()) > 0 {
			t.Errorf("after a jump to %s these are called silent: %v", by, m.GetSilentNodes())
		}
		if at := m.GetTraffic().GetUntil().AsTime(); time.Since(at).Abs() > time.Minute {
			t.Errorf("after a jump to %s users are told of at %s", by, at)
		}
	}
	sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
	if v := judged(sw); v == nil || v.GetResult() != adminv1.Result_RESULT_PASS || v.GetFigures()["requests.idle"] < 100 {
		t.Errorf("judged: %v", v)
	}

	// A clock that is off hides nothing.
	w.deployAs("blue", models.Equal, "worse", 2)
	id = w.start()
	w.await("weight on blue", func(m *adminv1.ModelStatus) bool { return m.GetState().GetWeights().GetBluePercent() == 20 })
	jump(-time.Hour)
	w.failing(modelserver.Fault{Mode: modelserver.Errors, Rate: 0.5}, w.models["blue"]...)
	sw = w.awaitOutcome(id, adminv1.Outcome_OUTCOME_ROLLED_BACK)
	if !strings.Contains(sw.GetCause(), "fails more often") {
		t.Errorf("cause %q", sw.GetCause())
	}
}
