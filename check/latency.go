package check

import (
	"context"
	"fmt"
	"slices"

	"greenlight/check/predict"
	"greenlight/policy"
	"greenlight/rollout"
)

// latencySide is one color of a latency check.
type latencySide struct {
	color   policy.Color
	inputs  *latencyInputs
	clients []*predict.Client // by endpoint
	// ask sends the i-th request, as replay.send.
	ask     func(ctx context.Context, i int) error
	origins []string
	sent    int // requests so far, the warm-up's too: inputs and endpoints take turns
	results []latencyResult
	broken  int // requests of the warm-up that failed or were not answered
}

// latencyResult is what became of one measured request.
type latencyResult struct {
	timing
	input  int
	origin string
}

// runLatency replays requests at a steady rate: first to warm up what is
// measured, then in rounds against the judged color and the one it is compared
// with in turn. It has the run to itself (stages).
func (r *Runner) runLatency(ctx context.Context, job rollout.CheckJob, c policy.Check, p *progress) finding {
	inputs, err := readLatencyInputs(ctx, c.Latency, r.opts.MaxLine)
	switch {
	case ctx.Err() != nil:
		return waiting("reading the requests to replay")
	case err != nil:
		return final("%v", err)
	}
	colors := []policy.Color{job.Target}
	if c.Latency.NeedsLive() {
		colors = append(colors, job.Target.Other())
	}
	var caps []policy.Cap
	for _, color := range colors {
		caps = append(caps, capOf(job, color))
	}
	plan := planLatency(c.Latency, caps, job.RequestTimeout)
	var sides []*latencySide
	for _, color := range colors {
		s, err := r.newLatencySide(job, c, color, inputs, plan.cap())
		if err != nil {
			return inconclusive("%v", err)
		}
		defer s.close()
		sides = append(sides, s)
	}
	if inputs.note != "" {
		plan.note("%s", inputs.note)
	}
	p.begin(plan.requests() * len(sides))
	if err := plan.run(ctx, sides, p); err != nil {
		if ctx.Err() != nil {
			return finding{outstanding: max(1, plan.outstanding(sides)), evidence: latencyEvidence(sides)}
		}
		return final("%v", err)
	}
	trial := latencyTrial{check: c.Latency, plan: plan, sides: sides, idle: distributionOf(sides[0].results)}
	if len(sides) > 1 {
		live := distributionOf(sides[1].results)
		trial.live = &live
	}
	return trial.finding(ctx)
}

func (r *Runner) newLatencySide(job rollout.CheckJob, c policy.Check, color policy.Color, inputs *latencyInputs, most policy.Cap) (*latencySide, error) {
	s := &latencySide{color: color, inputs: inputs}
	s.ask = s.send
	options := r.predictOptions(job, c.Name, color)
	// Nothing else is sent meanwhile, so the run's own limiter has nothing to
	// share; under limiters of their own the colors would not be measured alike.
	options.Limiter = predict.NewLimiter(most)
	for _, e := range job.Endpoints.Of(color) {
		client, err := predict.NewClient(job.Predict, inputs.schema, predict.Endpoint{Address: hostPort(e), Name: origin(color, e)}, options)
		if err != nil {
			s.close()
			return nil, err
		}
		s.clients, s.origins = append(s.clients, client), append(s.origins, origin(color, e))
	}
	if len(s.clients) == 0 {
		return nil, &stop{fmt.Sprintf("%s has no ready endpoint to ask", color)}
	}
	return s, nil
}

func (s *latencySide) close() {
	for _, c := range s.clients {
		c.Close()
	}
}

// run warms each color up and measures it. Its error is that of a request that
// no server is to blame for, or the cause of ctx's end.
func (p *latencyPlan) run(ctx context.Context, sides []*latencySide, progress *progress) error {
	for _, s := range sides {
		if err := p.replay(ctx, s, p.warmup, progress, false); err != nil {
			return err
		}
	}
	for i, round := range p.rounds {
		order := slices.Clone(sides)
		if i%2 == 1 {
			slices.Reverse(order)
		}
		for _, s := range order {
			if err := p.replay(ctx, s, round, progress, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// replay sends one phase's requests to one color.
func (p *latencyPlan) replay(ctx context.Context, s *latencySide, of phase, progress *progress, counts bool) error {
	if of.requests == 0 {
		return nil
	}
	first := s.sent
	timings, err := replay{
		requests: of.requests, rate: p.rate, concurrency: p.concurrency, within: of.within,
		send: func(ctx context.Context, i int) error { return s.ask(ctx, first+i) },
		done: progress.step,
	}.run(ctx)
	if err != nil {
		return err
	}
	s.sent += of.requests
	for i, t := range timings {
		switch {
		case counts:
			s.results = append(s.results, latencyResult{t, s.input(first + i), s.origins[s.endpoint(first+i)]})
		case t.outcome != requestAnswered:
			s.broken++
		}
	}
	return nil
}

// outstanding is how many answers are missing when a run is broken off.
func (p *latencyPlan) outstanding(sides []*latencySide) int {
	n := p.requests() * len(sides)
	for _, s := range sides {
		n -= s.sent
	}
	return n
}

func (s *latencySide) input(i int) int { return i % len(s.inputs.all) }

// endpoint is whose turn it is. Every time that the inputs begin anew it moves
// on by one, so that each endpoint gets each of them.
func (s *latencySide) endpoint(i int) int {
	return (i + i/len(s.inputs.all)) % len(s.clients)
}

// send sends the i-th request to the endpoint whose turn it is.
func (s *latencySide) send(ctx context.Context, i int) error {
	client, in := s.clients[s.endpoint(i)], &s.inputs.all[s.input(i)]
	if in.request == nil {
		_, err := client.Predict(ctx, in.rows)
		return err
	}
	reply, err := client.Exchange(ctx, in.path, in.request)
	switch {
	case err != nil:
		return err
	case reply.Status != in.status:
		return fmt.Errorf("%s instead of status %d", reply.InWords(), in.status)
	case reply.Cut:
		return fmt.Errorf("an answer of more than %d bytes", len(reply.Body))
	}
	return nil
}
