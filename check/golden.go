package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"

	"greenlight/check/dataset"
	"greenlight/check/predict"
	"greenlight/policy"
	"greenlight/rollout"
)

// runGolden sends every case of the file to every endpoint of the target and
// compares the answers. The file is read once to be counted and checked, so
// that a broken one is known before the first request, and then once per
// endpoint, so that it may be larger than memory.
func (r *Runner) runGolden(ctx context.Context, job rollout.CheckJob, c policy.Check, p *progress) finding {
	endpoints := job.Endpoints.Of(job.Target)
	if len(endpoints) == 0 {
		return inconclusive("%s has no ready endpoint to ask", job.Target)
	}
	file, opened, err := dataset.OpenRegular(c.Golden.File)
	if err != nil {
		return inconclusive("%v", err)
	}
	defer func() { _ = file.Close() }()

	g := &goldenRun{runner: r, job: job, check: c, file: file, progress: p}
	cases, err := g.count(ctx)
	switch {
	case ctx.Err() != nil:
		return finding{outstanding: len(endpoints) * max(cases, 1)}
	case err != nil:
		return inconclusive("%v", err)
	case cases == 0:
		return inconclusive("no cases in %s", c.Golden.File)
	}
	g.total = cases
	if problem := g.sendable(); problem != nil {
		return inconclusive("%v", problem)
	}
	p.begin(cases * len(endpoints))
	eachEndpoint(endpoints, r.opts.MaxEndpoints, func(e rollout.Endpoint) { g.ask(ctx, e) })
	if err := dataset.Unchanged(file, opened); err != nil {
		g.breakOff(err)
	}
	return g.finding(len(endpoints))
}

// sendable finds out whether the policy fits the cases, before the first request.
func (g *goldenRun) sendable() error {
	c, err := g.client(predict.Endpoint{Address: "localhost:0"})
	if err != nil {
		return err
	}
	c.Close()
	return nil
}

// goldenRun is one golden check on its way. The file is shared by reading at
// offsets: all readers see the same one, even when it is replaced meanwhile.
type goldenRun struct {
	runner   *Runner
	job      rollout.CheckJob
	check    policy.Check
	file     *os.File
	progress *progress
	evidence evidenceList
	total    int // cases, as counted before the first request
	// columns are those of all cases that are rows; nil if none is.
	columns []string

	mu       sync.Mutex // guards what follows
	passed   int
	failed   int
	unasked  int // answers that an endpoint, silent so far, was not asked for
	maxError float64
	failedOn map[string]bool // endpoints by origin
	broken   error           // reading the file failed half-way
	// unreached is why some entry of the fleets could not be reached.
	unreached error
}

func (g *goldenRun) cases() *caseReader {
	return newCaseReader(g.check.Golden.File, io.NewSectionReader(g.file, 0, math.MaxInt64), g.runner.opts.MaxLine)
}

// count reads all cases and answers how many there are.
func (g *goldenRun) count(ctx context.Context) (int, error) {
	reader := g.cases()
	for n := 0; ; n++ {
		c, err := reader.next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err == nil {
			if problem := g.fits(c); problem != nil {
				err = reader.problem(0, problem.Error())
			}
		}
		if err != nil {
			return 0, err
		}
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
	}
}

// fits says why a case can't be used.
func (g *goldenRun) fits(c goldenCase) error {
	switch {
	case c.row != nil && g.columns == nil:
		g.columns = c.row.columns
		return nil
	case c.row != nil:
		return c.row.sameColumns(g.columns)
	case isOpenInference(g.check.Golden.Protocol):
		return validExpectation(c.expect)
	default:
		return nil
	}
}

func isOpenInference(p policy.PredictProtocol) bool {
	return p == policy.OpenInference || p == policy.OpenInferenceGRPC
}

// predict is how the cases are sent: as the policy says of all predictions, but
// for what the check says itself.
func (g *goldenRun) predict() policy.Predict {
	spec := g.job.Predict
	if spec.Protocol != g.check.Golden.Protocol {
		spec.Protocol, spec.Binary = g.check.Golden.Protocol, false
	}
	spec.Path = g.check.Golden.Path
	return spec
}

// comparison is how the answer to c is compared. A case's own tolerance stands
// for all of the check's.
func (g *goldenRun) comparison(c goldenCase) comparison {
	p := g.check.Golden
	compared := comparison{
		tolerance: p.Tolerance, absolute: p.Absolute, relative: p.Relative, ulp: p.ULP,
		topK: p.TopK, ranking: g.job.Predict.Answer.Ranking,
	}
	if c.tolerance >= 0 {
		compared.tolerance, compared.absolute, compared.relative, compared.ulp = c.tolerance, 0, 0, 0
	}
	return compared
}

// answer compares a whole answer: status, size, JSON, and then its content.
func (c *comparison) answer(protocol policy.PredictProtocol, want goldenCase, a predict.Reply) {
	if a.Status != want.status {
		c.differ("", text(fmt.Sprintf("status %d", want.status)), text(a.InWords()))
		return
	}
	if a.Cut {
		c.differ("", text(fmt.Sprintf("an answer of at most %d bytes", len(a.Body))), text("a longer one: "+a.Beginning()))
		return
	}
	if err := predict.Bounds(a.Body, predict.MaxTree); err != nil {
		c.differ("", text(fmt.Sprintf("an answer of at most %d values", predict.MaxTree)), text(fmt.Sprintf("%v: %s", err, a.Beginning())))
		return
	}
	got, err := decode(a.Body)
	if err != nil {
		c.differ("", text("JSON"), text(fmt.Sprintf("%v: %s", err, a.Beginning())))
		return
	}
	if isOpenInference(protocol) {
		c.openInference(want.expect, got)
		return
	}
	c.values("", want.expect, got)
}

func (g *goldenRun) tally(endpoint string, c comparison) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.maxError = max(g.maxError, c.maxError)
	if c.first == nil {
		g.passed++
	} else {
		g.failed++
		if g.failedOn == nil {
			g.failedOn = map[string]bool{}
		}
		g.failedOn[endpoint] = true
	}
	g.progress.step()
}

// finding sums up. It is called after all requests have ended.
func (g *goldenRun) finding(endpoints int) finding {
	if g.broken != nil {
		return inconclusive("%v", g.broken)
	}
	if g.unreached != nil && g.passed+g.failed == 0 {
		return inconclusive("no entry of the fleets can be reached from here: %v; spec.entry of a fleet's policy names one", g.unreached)
	}
	answers := g.total * endpoints
	f := finding{
		result:  rollout.Pass,
		summary: fmt.Sprintf("%d of %d answers agree on %s", g.passed, answers, plural(endpoints, "endpoint")),
		figures: map[string]float64{
			"cases": float64(g.total), "endpoints": float64(endpoints),
			"passed": float64(g.passed), "failed": float64(g.failed), "unasked": float64(g.unasked), "maxError": g.maxError,
		},
		evidence:    g.evidence.shown(),
		outstanding: answers - g.passed - g.failed - g.unasked,
	}
	if g.failed > 0 {
		f.result = rollout.Fail
		f.summary = fmt.Sprintf("%d of %d answers differ on %d of %d endpoints", g.failed, answers, len(g.failedOn), endpoints)
		if g.unasked > 0 {
			f.summary += fmt.Sprintf(", %d were not asked for after silence", g.unasked)
		}
		f.summary += "; first: " + inWords(f.evidence[0])
	}
	return f
}
