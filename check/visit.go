package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"

	"greenlight/check/dataset"
	"greenlight/check/predict"
	"greenlight/rollout"
)

// visit is the run at one endpoint.
type visit struct {
	client *predict.Client
	origin string
	silent atomic.Int64 // answers in a row that did not come in time
}

// ask sends all cases to one endpoint, some at a time. An endpoint that leaves
// as many in a row unanswered as it is sent at a time is asked no more: it has
// failed, and its silence would cost the check all of its time.
func (g *goldenRun) ask(ctx context.Context, e rollout.Endpoint) {
	v := &visit{origin: origin(g.job.Target, e)}
	var err error
	if v.client, err = g.client(predict.Endpoint{Address: hostPort(e), Name: v.origin}); err != nil {
		g.breakOff(err)
		return
	}
	defer v.client.Close()
	todo := make(chan goldenCase)
	var wg sync.WaitGroup
	for range g.runner.opts.PerEndpoint {
		wg.Go(func() {
			for c := range todo {
				g.judge(ctx, v, c)
			}
		})
	}
	err = g.feed(ctx, v, todo)
	close(todo)
	wg.Wait()
	if err != nil {
		g.breakOff(err)
	}
}

// breakOff notes that nothing can be said of the model.
func (g *goldenRun) breakOff(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.broken = err
}

func (g *goldenRun) client(e predict.Endpoint) (*predict.Client, error) {
	var schema *dataset.Schema
	if g.columns != nil {
		schema = &dataset.Schema{File: filepath.Base(g.check.Golden.File), Columns: g.columns}
	}
	return predict.NewClient(g.predict(), schema, e, g.runner.predictOptions(g.job, g.check.Name, g.job.Target))
}

// feed reads as many cases as were counted. Fewer, or broken ones, mean that
// nothing can be said of the model.
func (g *goldenRun) feed(ctx context.Context, v *visit, todo chan<- goldenCase) error {
	reader := g.cases()
	for fed := range g.total {
		if v.silent.Load() >= int64(g.runner.opts.PerEndpoint) {
			g.leaveOut(g.total - fed)
			return nil
		}
		c, err := reader.next()
		if err != nil {
			return err
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
	f := failure{line: c.line}
	f.Endpoint, f.Case = v.origin, c.where(filepath.Base(g.check.Golden.File))
	f.Expected = g.expected(c)
	compared := g.comparison(c)
	err := g.hold(ctx, v, c, &compared)
	if err != nil && ctx.Err() != nil {
		f.late, f.Got = true, noAnswer
		g.evidence.add(f)
		return
	}
	if _, answered := errors.AsType[*predict.AnswerError](err); err != nil && !answered && g.job.Host != "" {
		g.unreach(err)
		return
	}
	if f.late = isSilence(err); f.late {
		v.silent.Add(1)
	} else {
		v.silent.Store(0)
	}
	if err != nil {
		compared.differ("", text(f.Expected), text(problemOf(err)))
	}
	if d := compared.first; d != nil {
		f.Expected, f.Got = d.want(), d.got
		g.evidence.add(f)
	}
	g.tally(f.Endpoint, compared)
}

// unreach notes an entry that can't be reached from here. Users may reach it: it
// says nothing of the model.
func (g *goldenRun) unreach(err error) {
	g.leaveOut(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unreached = err
}

// hold sends one case and holds the answer against what is expected. Its error
// says why no answer came, or none that could be read.
func (g *goldenRun) hold(ctx context.Context, v *visit, c goldenCase, compared *comparison) error {
	if c.row != nil {
		got, err := v.client.Predict(ctx, []dataset.Row{c.row.row})
		if err == nil {
			compared.prediction(c.expect, got[0])
		}
		return err
	}
	reply, err := v.client.Exchange(ctx, c.path, c.request)
	if err == nil {
		compared.answer(g.check.Golden.Protocol, c, reply)
	}
	return err
}

// expected is what is expected of an answer at the least.
func (g *goldenRun) expected(c goldenCase) string {
	path := cmp.Or(c.path, g.check.Golden.Path)
	switch {
	case c.row != nil:
		return "a prediction"
	case path == "":
		return fmt.Sprintf("status %d from ModelInfer", c.status)
	default:
		return fmt.Sprintf("status %d from POST %s", c.status, path)
	}
}

// problemOf is an error without the endpoint, which evidence names already.
func problemOf(err error) string {
	if wrong, ok := errors.AsType[*predict.AnswerError](err); ok {
		return wrong.Problem
	}
	return err.Error()
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
