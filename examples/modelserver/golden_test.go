package modelserver_test

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"greenlight/check"
	"greenlight/examples/models"
	"greenlight/examples/modelserver"
	"greenlight/policy"
	"greenlight/rollout"
)

// The example's own story: the golden file lets both good versions pass and
// refuses the bad one, and a good one that misbehaves.
func TestGoldenFileTellsTheVersionsApart(t *testing.T) {
	for name, c := range map[string]struct {
		version string
		fault   modelserver.Mode
		golden  rollout.Result
		ready   rollout.Result
	}{
		"good":    {models.Good, modelserver.None, rollout.Pass, rollout.Pass},
		"equal":   {models.Equal, modelserver.None, rollout.Pass, rollout.Pass},
		"bad":     {models.Bad, modelserver.None, rollout.Fail, rollout.Pass},
		"wrong":   {models.Good, modelserver.Wrong, rollout.Fail, rollout.Pass},
		"errors":  {models.Good, modelserver.Errors, rollout.Fail, rollout.Pass},
		"unready": {models.Good, modelserver.Unready, rollout.Pass, rollout.Fail},
		"hang":    {models.Good, modelserver.Hang, rollout.Fail, rollout.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, modelserver.Options{Version: c.version, Color: "green"})
			if err := s.Fail(modelserver.Fault{Mode: c.fault}); err != nil {
				t.Fatal(err)
			}
			timeout := 20 * time.Second
			if c.fault == modelserver.Hang {
				timeout = 200 * time.Millisecond
			}
			verdicts := check.New(check.Options{}).Run(context.Background(), jobFor(t, s, timeout))
			for i, want := range []rollout.Result{c.golden, c.ready} {
				if verdicts[i].Result != want {
					t.Errorf("%s, want %s: %s", verdicts[i].Result, want, verdicts[i].Summary)
				}
			}
			if c.version == models.Bad && !strings.Contains(verdicts[0].Summary, "tumor.golden.jsonl:1 (row-559)") {
				t.Errorf("summary %s", verdicts[0].Summary)
			}
		})
	}
}

func jobFor(t *testing.T, s *modelserver.Server, timeout time.Duration) rollout.CheckJob {
	t.Helper()
	host, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return rollout.CheckJob{
		Model: models.Name, Target: policy.Green, Live: policy.Blue,
		Endpoints: rollout.EndpointSet{Green: []rollout.Endpoint{{ID: "tumor-green-1", Address: host, Port: n}}},
		Checks: []policy.Check{
			{Name: "golden", Timeout: timeout, Golden: &policy.GoldenCheck{
				File: "../models/" + models.GoldenFile, Protocol: policy.OpenInference,
				Path: infer, Tolerance: models.Tolerance,
			}},
			{Name: "ready", Timeout: 20 * time.Second, Ready: &policy.ReadyCheck{Path: "/v2/models/tumor/ready"}},
		},
	}
}
