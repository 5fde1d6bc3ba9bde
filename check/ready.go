package check

import (
	"context"
	"fmt"
	"sync/atomic"

	"greenlight/policy"
	"greenlight/rollout"
)

// maxReadyBody bounds what is read of a readiness answer: only its status
// counts, the rest is shown to people.
const maxReadyBody = 4 << 10

// askReady asks every endpoint of the target whether it is ready. One that is
// not, or does not answer, fails the check.
func (r *Runner) askReady(ctx context.Context, job rollout.CheckJob, c policy.Check, p *progress) finding {
	endpoints := job.Endpoints.Of(job.Target)
	if len(endpoints) == 0 {
		return inconclusive("%s has no ready endpoint to ask", job.Target)
	}
	p.begin(len(endpoints))

	ask := r.askHTTPReady
	if c.Ready.GRPC {
		ask = r.askGRPCReady
	}
	var passed, late atomic.Int64
	evidence := &evidenceList{}
	eachEndpoint(endpoints, r.opts.MaxEndpoints, func(e rollout.Endpoint) {
		expected, got := ask(ctx, job, e, c)
		f := failure{Evidence: rollout.Evidence{Endpoint: origin(job.Target, e), Expected: expected, Got: got}}
		switch {
		case got == "":
			passed.Add(1)
		case ctx.Err() != nil:
			late.Add(1)
			f.late, f.Got = true, noAnswer
			evidence.add(f)
			return
		default:
			evidence.add(f)
		}
		p.step()
	})
	return readyFinding(len(endpoints), int(passed.Load()), int(late.Load()), evidence.shown())
}

func readyFinding(asked, passed, late int, evidence []rollout.Evidence) finding {
	f := finding{
		result:  rollout.Pass,
		summary: fmt.Sprintf("%d of %d endpoints are ready", passed, asked),
		figures: map[string]float64{
			"endpoints": float64(asked), "ready": float64(passed), "failed": float64(asked - passed - late),
		},
		evidence:    evidence,
		outstanding: late,
	}
	if passed < asked {
		f.result = rollout.Fail
		f.summary = fmt.Sprintf("%d of %d endpoints are not ready; first: %s", asked-passed, asked, inWords(evidence[0]))
	}
	return f
}

// askHTTPReady says what was expected and what came instead; got is empty when
// the endpoint is ready.
func (r *Runner) askHTTPReady(ctx context.Context, job rollout.CheckJob, e rollout.Endpoint, c policy.Check) (expected, got string) {
	expected = fmt.Sprintf("status 200–299 from GET %s", c.Ready.Path)
	client := r.newClient(job, c.Name, e, maxReadyBody)
	defer client.close()
	a, err := client.get(ctx, c.Ready.Path)
	switch {
	case err != nil:
		return expected, err.Error()
	case a.Status < 200 || a.Status > 299:
		return expected, a.InWords()
	default:
		return expected, ""
	}
}
