package check

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"greenlight/check/dataset"
	"greenlight/check/predict"
	"greenlight/policy"
	"greenlight/rollout"
)

// maxSilence is how many requests in a row one endpoint may leave without any
// answer before its color is asked no more: each costs the time of a request,
// and the verdict is certain.
const maxSilence = 8

// maxLiveFailed is the share of rows that the live color may fail on: beyond,
// what is left of them is not what users send.
const maxLiveFailed = 0.05

// stop is an error that ends a check and blames no color.
type stop struct{ problem string }

func (s *stop) Error() string { return s.problem }

// gaveUp says that an endpoint was asked no more.
type gaveUp struct{ endpoint string }

func (g *gaveUp) Error() string {
	return fmt.Sprintf("%s left %d requests in a row without an answer and was asked no more", g.endpoint, maxSilence)
}

// interview asks one color for predictions of all rows of a sample.
type interview struct {
	color  policy.Color
	pool   *predict.Pool
	sample *sample
	// take keeps what is needed of a row's prediction. Its error is the model's
	// fault, and the row has failed; but *stop and *dataset.Error end the check.
	take func(i int, row dataset.Row, p predict.Prediction) error

	failed   []bool // by row
	failures int
	evidence evidenceList
	silent   map[string]int // requests in a row without an answer, by endpoint
	asked    atomic.Int64   // rows that were answered or failed
	err      error          // why it ended early
}

// predictOptions is what a check may do to ask color for predictions.
func (r *Runner) predictOptions(job rollout.CheckJob, check string, color policy.Color) predict.Options {
	return predict.Options{
		Check: check, HTTP2: job.Protocol != "" && job.Protocol != policy.HTTP1,
		Cap: capOf(job, color), Limiter: r.limiter(color),
		RequestTimeout: job.RequestTimeout, ConnectTimeout: r.opts.ConnectTimeout,
		MaxBody: r.opts.MaxBody, Secret: r.Secret,
		Host: job.Host, Color: color,
	}
}

// newInterview prepares to ask color.
func (r *Runner) newInterview(job rollout.CheckJob, c policy.Check, s *sample, color policy.Color) (*interview, error) {
	var endpoints []predict.Endpoint
	for _, e := range job.Endpoints.Of(color) {
		endpoints = append(endpoints, predict.Endpoint{Address: hostPort(e), Name: origin(color, e)})
	}
	if len(endpoints) == 0 {
		return nil, &stop{fmt.Sprintf("%s has no ready endpoint to ask", color)}
	}
	pool, err := predict.NewPool(job.Predict, s.file.Schema(), endpoints, r.predictOptions(job, c.Name, color))
	if err != nil {
		return nil, err
	}
	return &interview{
		color: color, pool: pool, sample: s, failed: make([]bool, s.rows), silent: map[string]int{},
	}, nil
}

// run asks for all rows. Afterwards err says why it ended early, if it did.
func (v *interview) run(ctx context.Context, p *progress) {
	next, done := v.sample.read()
	defer done()
	v.err = v.pool.Run(ctx, next, func(b predict.Batch) error {
		v.asked.Add(int64(len(b.Rows)))
		p.add(len(b.Rows))
		return v.hear(b)
	})
}

func (v *interview) hear(b predict.Batch) error {
	if b.Err != nil {
		return v.unanswered(b)
	}
	v.silent[b.Endpoint] = 0
	for k, row := range b.Rows {
		err := v.take(b.First+k, row, b.Predictions[k])
		if blameless(err) {
			return err
		}
		if err != nil {
			v.fail(b.First + k)
			v.evidence.add(failure{line: row.Line, Evidence: rollout.Evidence{
				Endpoint: b.Endpoint, Case: v.sample.where(row.Line), Expected: "a prediction", Got: err.Error(),
			}})
		}
	}
	return nil
}

// unanswered notes a request that brought no predictions: all its rows failed.
func (v *interview) unanswered(b predict.Batch) error {
	if blameless(b.Err) {
		return b.Err
	}
	wrong, answered := errors.AsType[*predict.AnswerError](b.Err)
	f := failure{late: !answered, line: b.Rows[0].Line, Evidence: rollout.Evidence{
		Endpoint: b.Endpoint, Case: v.sample.where(b.Rows[0].Line),
		Expected: "predictions of " + plural(len(b.Rows), "row"), Got: b.Err.Error(),
	}}
	if answered {
		f.Got = wrong.Problem
	}
	v.evidence.add(f)
	for k := range b.Rows {
		v.fail(b.First + k)
	}
	if answered {
		v.silent[b.Endpoint] = 0
		return nil
	}
	if v.silent[b.Endpoint]++; v.silent[b.Endpoint] >= maxSilence {
		return &gaveUp{b.Endpoint}
	}
	return nil
}

func (v *interview) fail(i int) {
	v.failed[i] = true
	v.failures++
}

// blameless reports whether err ends the check without a color's fault.
func blameless(err error) bool {
	_, stopped := errors.AsType[*stop](err)
	_, data := errors.AsType[*dataset.Error](err)
	return stopped || data
}

func (v *interview) gaveUp() bool {
	_, yes := errors.AsType[*gaveUp](v.err)
	return yes
}
