package plan

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"greenlight/policy"
)

// BenchmarkFigurePlan is what a plan of a thousand models takes that a server has in
// force, one of which, or all of which change. Its floor is reading and checking the
// files alone.
func BenchmarkFigurePlan(b *testing.B) {
	const models = 1000
	root := b.TempDir()
	file := func(folder string, i int, timeout string) {
		write(b, filepath.Join(root, folder, fmt.Sprintf("m%d.yaml", i)), fmt.Sprintf(`apiVersion: greenlight/v1
kind: Model
metadata: {name: m%d, owners: [risk-ml]}
spec:
  discovery: {service: m%d, color: {meta: color}}
  route: {fleets: [edge], hosts: [models.internal, m%d.models.internal], prefix: /v2/models/m%d, timeout: %s}
  validate:
    - endpoints: {min: 2}
    - ready: {path: /v2/models/m%d/ready}
  shift: {steps: [{weight: 5%%, hold: 10m}, {weight: 25%%, hold: 10m}, 100%%]}
  bake: {for: 30m}
`, i, i, i, i, timeout, i))
	}
	for i := range models {
		file("before", i, "2s")
		file("all", i, "3s")
		file("one", i, map[bool]string{true: "3s", false: "2s"}[i == 0])
	}
	basis := Against(policy.Read(filepath.Join(root, "before")), false, clock)
	known(&basis)
	for change, goal := range map[string]time.Duration{"one": time.Second, "all": 2 * time.Second} {
		folder := filepath.Join(root, change)
		var took, floor []time.Duration
		for range max(b.N, 5) {
			began := time.Now()
			r := policy.Read(folder)
			floor = append(floor, time.Since(began))
			p := Make(basis, r)
			took = append(took, time.Since(began))
			if len(p.Problems) > 0 || !p.Changed {
				b.Fatalf("%+v", p.Summary)
			}
		}
		t, f := least(took), least(floor)
		verdict := "reached"
		if t > goal {
			verdict = "MISSED"
		}
		fmt.Printf("\nPlan of %d policies of which %s changes, read, checked and compared: %v\n  floor, reading and checking the files alone: %v; ratio %.2f (goal: under %v: %s)\n",
			models, change, t.Round(time.Millisecond), f.Round(time.Millisecond), float64(t)/float64(f), goal, verdict)
		b.ReportMetric(t.Seconds(), change+"-s")
	}
	b.ReportMetric(0, "ns/op")
}

func least(all []time.Duration) time.Duration {
	out := all[0]
	for _, d := range all {
		out = min(out, d)
	}
	return out
}
