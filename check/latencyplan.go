package check

import (
	"fmt"
	"time"

	"greenlight/policy"
)

// latencyRounds is in how many rounds two colors are measured in turn, so that
// whatever changes on the machines meanwhile hits both.
const latencyRounds = 4

// catchUp is how much of a cap per second the arrivals take at most. Requests
// that were held up go out as soon as the cap allows: if the arrivals took all
// of it, whatever held one up would make every later one late, and a color with
// a cap would look slower than it is.
const catchUp = 0.8

// latencyPlan says how the requests of a latency check are spread over time.
// Every color gets the same one.
type latencyPlan struct {
	rate        float64
	concurrency int
	perSecond   int // most requests per second, catching up included; 0: no limit
	warmup      phase
	rounds      []phase
	notes       []string
}

// phase is a number of requests, and the time by which they must be answered.
type phase struct {
	requests int
	within   time.Duration
}

// planLatency shares out the check's time per color: the warm-up and each round
// get as much as they have requests. No more requests are due in a phase than
// leave each of them its own time to be answered.
//
// All colors are measured under the strictest of the caps: under caps of their
// own the one that may have fewer requests in flight would look slower.
func planLatency(c *policy.LatencyCheck, caps []policy.Cap, requestTimeout time.Duration) latencyPlan {
	p := latencyPlan{rate: c.Rate, concurrency: c.Concurrency}
	for _, limit := range caps {
		p.concurrency = min(p.concurrency, max(limit.Concurrency, 1))
		if limit.PerSecond > 0 && (p.perSecond == 0 || limit.PerSecond < p.perSecond) {
			p.perSecond = limit.PerSecond
		}
	}
	if p.concurrency < c.Concurrency {
		p.note("predict.load allows the colors measured %d requests at a time", p.concurrency)
	}
	if most := catchUp * float64(p.perSecond); p.perSecond > 0 && p.rate > most {
		p.rate = most
		p.note("predict.load allows the colors measured %d requests per second; %g of them arrive, and the rest is room to catch up after a delay",
			p.perSecond, p.rate)
	}
	all := c.Warmup + c.Count
	p.warmup = p.phase(c.Warmup, all, c.For, requestTimeout)
	rounds := 1
	if len(caps) > 1 {
		rounds = latencyRounds
	}
	measured := 0
	for i := range rounds {
		n := c.Count*(i+1)/rounds - c.Count*i/rounds
		round := p.phase(n, all, c.For, requestTimeout)
		p.rounds = append(p.rounds, round)
		measured += round.requests
	}
	if measured < c.Count {
		p.note("%d of %d requests fit into %v per color at %g per second", measured, c.Count, c.For, p.rate)
	}
	return p
}

func (p *latencyPlan) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

// phase is n of all requests, in their share of the time.
func (p *latencyPlan) phase(n, all int, total, requestTimeout time.Duration) phase {
	within := time.Duration(float64(total) * float64(n) / float64(all))
	// What is kept free at the end, for the answer to the last request.
	rest := within / 4
	if requestTimeout > 0 && requestTimeout < within/2 {
		rest = requestTimeout
	}
	fit := 1 + int(p.rate*(within-rest).Seconds())
	return phase{requests: min(n, fit), within: within}
}

// cap is what each color may be sent: the strictest of the caps.
func (p *latencyPlan) cap() policy.Cap {
	return policy.Cap{Concurrency: p.concurrency, PerSecond: p.perSecond}
}

// requests is how many requests one color gets.
func (p *latencyPlan) requests() int {
	n := p.warmup.requests
	for _, r := range p.rounds {
		n += r.requests
	}
	return n
}
