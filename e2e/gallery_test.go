package e2e

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
)

const digitsPolicy = `apiVersion: greenlight/v1
kind: Model
metadata: {name: digits}
spec:
  discovery: {service: digits, color: {meta: color}, version: {meta: version}}
  route: {fleets: [edge], hosts: [digits.models.internal], prefix: /, protocol: PROTOCOL, timeout: TIMEOUT}
  predict: PREDICT
  prepare: {within: WITHINs}
  shift: SHIFT
  bake: {for: 0s}
  retire: {off: true}
  validate: VALIDATE
`

const allKinds = `
    - endpoints: {min: 1}
    - golden: {file: golden.jsonl}
    - name: quality
      timeout: 1m
      quality:
        data: holdout.parquet
        label: digit
        slices: [source]
        gates:
          accuracy: {min: 0.88, notWorseThanLive: true}
          f1Macro: {min: 0.85, notWorseThanLive: true}
          logLoss: {max: 1.0}
    - drift: {data: holdout.csv, agreement: {min: 0.9}, psi: {max: 0.2}}
    - latency: {data: holdout.jsonl, count: 60, rate: 30, warmup: 10, p95: 4s, errors: 0%}
    - expression: quality.accuracy.idle >= quality.accuracy.live - 0.03 && latency.errors.idle == 0.0`

const overMLServer = "{answer: {label: predict, scores: predict_proba}}"

// gallery is a world whose model "digits" is served by real model servers, one
// version live and another one idle.
type gallery struct {
	*world
	zoo   *zoo
	taken int // how many policies were put in force
}

func newGallery(t *testing.T, opts worldOptions) *gallery {
	w := newWorld(t, opts, nil)
	z := newZoo(t, w)
	z.copyInto(w.policies(), "golden.jsonl", "holdout.parquet", "holdout.csv", "holdout.jsonl", "oneclass.csv")
	return &gallery{world: w, zoo: z}
}

// digits is what a test may change of the policy; empty means its default.
type digits struct{ protocol, timeout, predict, validate, shift string }

// puts a policy in force.
func (g *gallery) puts(d digits) {
	g.t.Helper()
	g.taken++
	within := int64(60 + g.taken) // tells this policy from the one before
	text := strings.NewReplacer(
		"PROTOCOL", cmp.Or(d.protocol, "http1"), "TIMEOUT", cmp.Or(d.timeout, "5s"), "PREDICT", cmp.Or(d.predict, overMLServer),
		"VALIDATE", cmp.Or(d.validate, allKinds), "SHIFT", cmp.Or(d.shift, "{steps: [100%]}"), "WITHIN", fmt.Sprint(within),
	).Replace(digitsPolicy)
	g.writePolicy("digits.yaml", text)
	m, err := g.server.AwaitModel(g.within(patience), "digits", "the new policy", func(m *adminv1.ModelStatus) bool {
		return m.GetPolicyProblem() != "" || m.GetPolicy().GetPrepareWithin().GetSeconds() == within
	})
	must(g.t, err)
	if problem := m.GetPolicyProblem(); problem != "" {
		g.t.Fatalf("the policy was not taken: %s\n%s", problem, text)
	}
}

// shows registers live and idle, by their gRPC ports if grpc is set, and waits
// until the server knows of both.
func (g *gallery) shows(live, idle served, grpc bool) {
	g.t.Helper()
	g.extra = nil
	for color, s := range map[string]served{"blue": live, "green": idle} {
		port := s.http
		if grpc {
			port = s.grpc
		}
		g.extra = append(g.extra, lab.Instance{
			ID: "digits-" + color, Name: "digits", Address: "127.0.0.1", Port: port,
			Meta: map[string]string{"color": color, "version": s.version},
		})
	}
	g.register()
	_, err := g.server.AwaitModel(g.within(patience), "digits", "both versions", func(m *adminv1.ModelStatus) bool {
		return serves(m.GetEndpoints().GetBlue(), live.version) && serves(m.GetEndpoints().GetGreen(), idle.version)
	})
	must(g.t, err)
}

func serves(endpoints []*adminv1.Endpoint, version string) bool {
	return len(endpoints) == 1 && endpoints[0].GetVersion() == version
}

// check runs checks of digits and gives their verdicts by name.
func (g *gallery) check(t *testing.T, only ...string) map[string]*adminv1.Verdict {
	t.Helper()
	stream, err := g.server.Client.RunChecks(g.within(2*patience), &adminv1.RunChecksRequest{Model: "digits", Only: only, Html: true})
	must(t, err)
	for {
		event, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			t.Fatal("the run of the checks ended without a report")
		}
		must(t, err)
		report := event.GetReport()
		if report == nil {
			continue
		}
		keepPage(t, report.GetHtml())
		verdicts := map[string]*adminv1.Verdict{}
		for _, v := range report.GetReport().GetStages()[0].GetVerdicts() {
			t.Logf("%s %v: %s", v.GetCheck(), v.GetResult(), v.GetSummary())
			verdicts[v.GetCheck()] = v
		}
		return verdicts
	}
}

// keepPage writes the report's page where a person who debugs can find it.
func keepPage(t *testing.T, page []byte) {
	folder := os.Getenv("GREENLIGHT_E2E_PAGES")
	if folder != "" {
		name := strings.NewReplacer("/", "-", " ", "-").Replace(t.Name()) + ".html"
		must(t, os.WriteFile(filepath.Join(folder, name), page, 0o644))
	}
}

// want fails the test unless the named check came to result and its verdict
// says words somewhere a person sees them.
func want(t *testing.T, verdicts map[string]*adminv1.Verdict, check string, result adminv1.Result, words ...string) {
	t.Helper()
	v := verdicts[check]
	if v.GetResult() != result {
		t.Errorf("check %s: %v (%s), want %v", check, v.GetResult(), v.GetSummary(), result)
	}
	for _, word := range words {
		if !strings.Contains(strings.ToLower(fmt.Sprint(v)), strings.ToLower(word)) {
			t.Errorf("check %s says %q nowhere: %v", check, word, v)
		}
	}
}

const (
	pass         = adminv1.Result_RESULT_PASS
	fail         = adminv1.Result_RESULT_FAIL
	inconclusive = adminv1.Result_RESULT_INCONCLUSIVE
)

func wantAllPass(t *testing.T, verdicts map[string]*adminv1.Verdict) {
	t.Helper()
	for name := range verdicts {
		want(t, verdicts, name, pass)
	}
}
