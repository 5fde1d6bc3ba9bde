package check_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"greenlight/check"
	"greenlight/policy"
	"greenlight/rollout"
)

// Through a fleet's entry a known request asks for the users' host, and counts
// only when the right color has answered it.
func TestGoldenThroughTheRoute(t *testing.T) {
	entry := func(color string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "fraud.models.internal" {
				t.Errorf("asked for host %q", r.Host)
			}
			if color != "" {
				w.Header().Set("x-greenlight-color", color)
			}
			_, _ = io.WriteString(w, `{"y":1}`)
		}
	}
	file := goldenFile(t, `{"request":{"n":1},"expect":{"y":1}}`)
	for name, c := range map[string]struct {
		at     rollout.Endpoint
		result rollout.Result
		words  []string
	}{
		"the right color": {serve(t, "edge/e1", entry("green")), rollout.Pass, []string{"1 of 1 answers agree"}},
		"the other color": {serve(t, "edge/e1", entry("blue")), rollout.Fail, []string{"answered by blue, not by green"}},
		"no color":        {serve(t, "edge/e1", entry("")), rollout.Fail, []string{"answered by no color, not by green"}},
		"out of reach":    {closedPort(t, "edge/e1"), rollout.Inconclusive, []string{"no entry of the fleets can be reached", "spec.entry"}},
	} {
		t.Run(name, func(t *testing.T) {
			j := job([]policy.Check{golden(policy.PlainJSON, file)}, c.at)
			j.Host = "fraud.models.internal"
			v := check.New(check.Options{}).Run(context.Background(), j)[0]
			wantVerdict(t, v, c.result, c.words...)
		})
	}
}
