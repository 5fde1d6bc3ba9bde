package check

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"

	"greenlight/rollout"
)

// visit is the run at one endpoint.
type visit struct {
	client *client
	origin string
	silent atomic.Int64 // answers in a row that did not come in time
}

// ask sends all cases to one endpoint, some at a time. An endpoint that leaves
// as many in a row unanswered as it is sent at a time is asked no more: it has
// failed, and its silence would cost the check all of its time.
func (g *goldenRun) ask(ctx context.Context, e rollout.Endpoint) {
	v := &visit{client: g.runner.newClient(g.job, g.check.Name, e, g.runner.opts.MaxBody), origin: origin(g.job.Target, e)}
	defer v.client.close()
	todo := make(chan goldenCase)
	var wg sync.WaitGroup
	for range g.runner.opts.PerEndpoint {
		wg.Go(func() {
			for c := range todo {
				g.judge(ctx, v, c)
			}
		})
	}
	err := g.feed(ctx, v, todo)
	close(todo)
	wg.Wait()
	if err != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.broken = err
	}
}

// feed reads as many cases as were counted. Fewer, or broken ones, mean that
// the file was written to meanwhile; then nothing can be said of the model.
func (g *goldenRun) feed(ctx context.Context, v *visit, todo chan<- goldenCase) error {
	reader := g.cases()
	for fed := range g.total {
		if v.silent.Load() >= int64(g.runner.opts.PerEndpoint) {
			g.leaveOut(g.total - fed)
			return nil
		}
		c, err := reader.next()
		if err != nil {
			return fmt.Errorf("the golden file changed while it was used: %w", err)
		}
		select {
		case todo <- c:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// judge sends one case and counts how its answer compares.
func (g *goldenRun) judge(ctx context.Context, v *visit, c goldenCase) {
	path := c.path
	if path == "" {
		path = g.check.Golden.Path
	}
	f := failure{line: c.line}
	f.Endpoint, f.Case = v.origin, c.where(filepath.Base(g.check.Golden.File))
	f.Expected = fmt.Sprintf("status %d from POST %s", c.status, path)
	a, err := v.client.send(ctx, http.MethodPost, path, c.request)
	if err != nil && ctx.Err() != nil {
		f.late, f.Got = true, noAnswer
		g.evidence.add(f)
		return
	}
	if f.late = isSilence(err); f.late {
		v.silent.Add(1)
	} else {
		v.silent.Store(0)
	}
	compared := comparison{tolerance: c.tolerance}
	if c.tolerance < 0 {
		compared.tolerance = g.check.Golden.Tolerance
	}
	if err != nil {
		compared.differ("", text(f.Expected), text(err.Error()))
	} else {
		compared.answer(g.check.Golden.Protocol, c, a)
	}
	if d := compared.first; d != nil {
		f.Expected, f.Got = d.want(), d.got
		g.evidence.add(f)
	}
	g.tally(f.Endpoint, compared)
}

// leaveOut counts answers that are not asked for.
func (g *goldenRun) leaveOut(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unasked += n
	for range n {
		g.progress.step()
	}
}
