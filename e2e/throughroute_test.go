package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"greenlight/api/adminv1"
)

// At full weight the golden cases go the way of users, through the fleet's entry. What is
// in between and alters answers is found there, and by nothing else; then all goes back.
func TestGoldenCasesThroughTheRoute(t *testing.T) {
	w := newWorld(t, worldOptions{envoys: 1, listener: true}, map[string]string{"bake": "{for: 2s, checks: []}"})
	envoy, err := url.Parse(w.url(w.envoys[0], ""))
	must(t, err)
	var alters atomic.Bool
	var asked atomic.Int32
	front := httputil.NewSingleHostReverseProxy(envoy)
	front.ModifyResponse = func(r *http.Response) error {
		asked.Add(1)
		if !alters.Load() {
			return nil
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		body = bytes.ReplaceAll(body, []byte("0."), []byte("9."))
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return nil
	}
	entry := httptest.NewServer(front)
	t.Cleanup(entry.Close)
	fleetText := strings.Replace(fleetPolicy(w.port), "spec: {", "spec: {entry: '"+strings.TrimPrefix(entry.URL, "http://")+"', ", 1)
	w.writePolicy("fleet.yaml", fleetText)
	w.await("the entry", func(m *adminv1.ModelStatus) bool {
		return slices.ContainsFunc(m.GetReport().GetEntries(), func(e *adminv1.Entry) bool { return strings.Contains(entry.URL, e.GetAddress()) })
	})

	alters.Store(true)
	sw := w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_ROLLED_BACK)
	if !strings.Contains(sw.GetCause(), "golden through the route failed") || asked.Load() == 0 {
		t.Errorf("cause %q, %d asked", sw.GetCause(), asked.Load())
	}
	w.onlyColor("blue", 50)

	alters.Store(false)
	resp, err := w.server.Client.StartSwitch(w.within(patience), &adminv1.StartSwitchRequest{Model: "tumor", Actor: "e2e", Again: true})
	must(t, err)
	w.awaitOutcome(resp.GetSwitchId(), adminv1.Outcome_OUTCOME_SUCCEEDED)
	report, err := w.server.Client.GetReport(w.within(patience), &adminv1.GetReportRequest{SwitchId: resp.GetSwitchId()})
	must(t, err)
	route := slices.IndexFunc(report.GetReport().GetStages(), func(s *adminv1.Stage) bool { return s.GetName() == "route" })
	if route < 0 || report.GetReport().GetStages()[route].GetVerdicts()[0].GetResult() != adminv1.Result_RESULT_PASS {
		t.Errorf("the report's stages: %v", report.GetReport().GetStages())
	}
	w.onlyColor("green", 50)
	w.noFailures()
}
