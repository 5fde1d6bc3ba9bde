package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
	"greenlight/examples/models"
	"greenlight/examples/modelserver"
)

// platform has room for so many instances of both colors and does what the retire
// webhook asks: it ends instances of blue and starts green in their place, and back.
type platform struct {
	w     *world
	notes chan platformNote
	url   string
	asked []string // events, in order
	least int      // fewest instances there ever were
}

// drainFor is how long the platform lets a deregistered instance finish its requests.
const drainFor = time.Second

type platformNote struct {
	Event     string
	Instances []struct{ ID string }
	Left      int
	done      chan struct{}
}

func startPlatform(t *testing.T) *platform {
	p := &platform{notes: make(chan platformNote), least: 1 << 30}
	hook := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n := platformNote{done: make(chan struct{})}
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		select {
		case p.notes <- n:
			<-n.done
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(hook.Close)
	p.url = hook.URL
	return p
}

// until does what is asked for until the model's status meets the condition.
func (p *platform) until(what string, condition func(*adminv1.ModelStatus) bool) *adminv1.ModelStatus {
	p.w.t.Helper()
	deadline := time.After(2 * patience)
	for {
		select {
		case n := <-p.notes:
			p.do(n)
			close(n.done)
		case <-time.After(50 * time.Millisecond):
			if m := p.w.status(); condition(m) {
				return m
			}
		case <-deadline:
			p.w.t.Fatalf("no %s: %v", what, p.w.status().GetState())
		}
	}
}

func (p *platform) do(n platformNote) {
	w := p.w
	w.t.Helper()
	p.asked = append(p.asked, n.Event)
	from, to := "blue", "green"
	if n.Event == "restore" {
		from, to = to, from
	}
	for _, i := range n.Instances {
		last := len(w.models[from]) - 1
		if want := w.instances()[len(w.models["blue"])-1].ID; n.Event == "retire" && i.ID != want {
			w.t.Fatalf("asked to let %s go, want %s", i.ID, want)
		}
		gone := w.models[from][last]
		w.models[from] = w.models[from][:last]
		p.least = min(p.least, len(w.models["blue"])+len(w.models["green"]))
		w.register()
		if n.Event == "restore" { // nobody has led its users away: it drains, as platforms let instances do
			time.Sleep(drainFor)
		}
		gone.Close()
		m, err := modelserver.Start(context.Background(), modelserver.Options{Version: w.versions[to], Color: to})
		must(w.t, err)
		w.t.Cleanup(func() { m.Close() })
		w.models[to] = append(w.models[to], m)
		w.register()
	}
}

// rollingWorld is four instances of blue with no room for green.
func rollingWorld(t *testing.T, more map[string]string) (*world, *platform) {
	p := startPlatform(t)
	policy := map[string]string{
		"route":    "{fleets: [edge], hosts: [tumor.models.internal], prefix: /v2/models/tumor, timeout: 3s}",
		"validate": "[{endpoints: {min: 1}}, {ready: {path: /v2/models/tumor/ready}}, {golden: {file: tumor.golden.jsonl, protocol: open-inference, tolerance: 0.05}}]",
		"shift":    "{rolling: {batch: 1, capacity: 75%, hold: 1s}, checks: []}",
		"bake":     "{for: 1s, checks: []}",
		"retire":   "{webhook: '" + p.url + "'}",
	}
	for key, value := range more {
		policy[key] = value
	}
	w := newWorld(t, worldOptions{rate: -1}, policy)
	p.w = w
	w.deploy("blue", models.Good, 4)
	w.deploy("green", models.Equal, 0)
	w.await("four of blue alone", func(m *adminv1.ModelStatus) bool {
		e := m.GetEndpoints()
		return len(e.GetBlue()) == 4 && len(e.GetGreen()) == 0
	})
	w.opts.rate = 200
	w.startLoad()
	return w, p
}

// Four instances with room for no fifth are replaced one after the other: three serve at
// any time, and not one request fails, although each instance is ended hard.
func TestRollingUnderLoad(t *testing.T) {
	t.Parallel() // it waits most of its time
	w, p := rollingWorld(t, nil)
	id := w.start()
	seen := map[string]bool{}
	m := p.until("the end of the switch", func(m *adminv1.ModelStatus) bool {
		seen[weight(m)] = true
		return m.GetState().GetSwitch().GetOutcome() != adminv1.Outcome_OUTCOME_UNSPECIFIED
	})
	sw := m.GetState().GetSwitch()
	if sw.GetId() != id || sw.GetOutcome() != adminv1.Outcome_OUTCOME_SUCCEEDED {
		t.Fatalf("%v: %s", sw.GetOutcome(), sw.GetCause())
	}
	if got := strings.Join(p.asked, " "); got != "retire retire retire retire" {
		t.Errorf("asked to %s", got)
	}
	if p.least < 3 {
		t.Errorf("only %d instances were there at some time", p.least)
	}
	for _, want := range []string{"25", "50", "75", "100"} {
		if !seen[want] {
			t.Errorf("the weight was never %s %%, but %v", want, seen)
		}
	}
	if len(w.models["green"]) != 4 || len(w.models["blue"]) != 0 {
		t.Errorf("%d of blue and %d of green", len(w.models["blue"]), len(w.models["green"]))
	}
	w.onlyColor("green", 100)
	w.noFailures()
}

// weight is green's, in whole percents.
func weight(m *adminv1.ModelStatus) string {
	return strconv.Itoa(int(m.GetState().GetWeights().GetGreenPercent()))
}

// When green turns out to be worse with half of the old instances gone, they come back
// first; and then all users go back, without a failed request but green's own.
func TestRollingBackWaitsForInstances(t *testing.T) {
	t.Parallel() // it waits most of its time
	w, p := rollingWorld(t, map[string]string{
		"shift": "{rolling: {batch: 1, capacity: 75%, hold: 2s}, checks: []}",
	})
	w.load.Stop()
	w.load = lab.StartLoad(lab.LoadOptions{
		URLs: []string{w.url(w.envoys[0], inferPath)}, Host: host, Body: knownRequest(t), Rate: 200, Timeout: time.Minute,
		Expected: func(a lab.Answer) bool { return a.Color == "green" },
	})
	w.start()
	p.until("half of the instances", func(m *adminv1.ModelStatus) bool {
		return len(w.models["green"]) == 2 && m.GetState().GetWeights().GetGreenPercent() >= 50 && m.GetState().GetPhase() == adminv1.Phase_PHASE_HOLDING
	})
	resp, err := w.server.Client.Rollback(w.within(patience), &adminv1.RollbackRequest{Model: "tumor", Actor: "e2e", Reason: "worse"})
	must(t, err)
	if st := resp.GetModel().GetState(); st.GetPhase() != adminv1.Phase_PHASE_HELD || !strings.Contains(st.GetBack(), "worse") {
		t.Fatalf("%v, back: %q", st.GetPhase(), st.GetBack())
	}
	if r := resp.GetModel().GetReturnReadiness(); r.GetReady() || !strings.Contains(r.GetWhy(), "2 of 4 instances of blue are in service") {
		t.Errorf("the way back: %v", r)
	}
	m := p.until("the way back", func(m *adminv1.ModelStatus) bool {
		return m.GetState().GetPhase() == adminv1.Phase_PHASE_IDLE && len(m.GetState().GetRolled().GetBatches()) == 0
	})
	if sw := m.GetState().GetSwitch(); sw.GetOutcome() != adminv1.Outcome_OUTCOME_ROLLED_BACK {
		t.Errorf("%v: %s", sw.GetOutcome(), sw.GetCause())
	}
	if len(w.models["blue"]) != 4 || len(w.models["green"]) != 0 {
		t.Errorf("%d of blue and %d of green", len(w.models["blue"]), len(w.models["green"]))
	}
	w.onlyColor("blue", 100)
	w.noFailures()
}
