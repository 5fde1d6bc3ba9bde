package check

import (
	"context"
	"fmt"

	"greenlight/check/dataset"
	"greenlight/policy"
	"greenlight/rollout"
)

// leastDriftRows is how many rows a distance of distributions needs at least:
// with fewer its noise alone reaches the usual gates.
const leastDriftRows = 100

// runDrift compares the judged color's predictions with the other color's, or
// with those that the data set holds, on the same rows.
func (r *Runner) runDrift(ctx context.Context, job rollout.CheckJob, c policy.Check, p *progress) finding {
	d := c.Drift
	s, err := openSample(ctx, d.Data, d.Rows)
	if err != nil {
		return unreadable(ctx, err)
	}
	defer s.close()
	labels := newNumbered(maxClasses)
	idle, reference := newSignals(job.Predict.Answer, labels, s.rows), newSignals(job.Predict.Answer, labels, s.rows)
	b := &bothColors{sample: s}
	if d.Baseline != nil {
		if err := reference.readBaseline(ctx, s, d.Baseline); err != nil {
			return unreadable(ctx, err)
		}
	}
	if b.idle, err = r.newInterview(job, c, s, job.Target); err != nil {
		return inconclusive("%v", err)
	}
	defer b.close()
	b.idle.take = idle.take
	if d.Baseline == nil {
		live, err := r.newInterview(job, c, s, job.Target.Other())
		if err != nil {
			return inconclusive("%v", err)
		}
		b.live, live.take = live, reference.take
	}
	if f := b.ask(ctx, p); f != nil {
		return *f
	}
	rows := answered(b.kept(), b.idle.failed)
	m := compareSignals(idle, reference, rows, d.Bins)
	f := m.finding(d, b)
	f.detail.Charts = m.charts()
	if f.detail.Cases, err = m.cases(ctx, b, job.Predict.Reserved); err != nil {
		return unreadable(ctx, err)
	}
	return f
}

// finding holds the distances against their gates.
func (m *drifted) finding(d *policy.DriftCheck, b *bothColors) finding {
	f := finding{figures: b.figures(), detail: &rollout.Detail{Notes: b.notes()}}
	f.measures = m.measures(d)
	for name, v := range m.figures {
		f.figures[name] = v
	}
	f.result, f.summary = m.verdict(f.measures)
	if m.chosen != "" {
		f.detail.Notes = append(f.detail.Notes, m.chosen)
	}
	if n := b.lost(); n > 0 {
		f.result, f.evidence = rollout.Fail, b.idle.evidence.shown()
		f.summary = b.lostInWords(n) + "; " + f.summary
	}
	return f
}

// readBaseline takes the stored predictions of every row.
func (g *signals) readBaseline(ctx context.Context, s *sample, b *policy.Baseline) error {
	columns := [...]struct{ role, name string }{
		{"drift.baseline.label", b.Label}, {"drift.baseline.score", b.Score}, {"drift.baseline.value", b.Value},
	}
	var at [len(columns)]int
	for k, c := range columns {
		if at[k] = -1; c.name == "" {
			continue
		}
		var err error
		if at[k], err = s.column(c.role, c.name); err != nil {
			return err
		}
	}
	return s.each(ctx, func(i int, row dataset.Row) error {
		for k, column := range at {
			if column < 0 {
				continue
			}
			if problem := g.store(i, k, row.Values[column]); problem != "" {
				return s.problem(row.Line, fmt.Sprintf("column %q %s", shorten(columns[k].name), problem))
			}
		}
		return nil
	})
}

// store takes a stored label (kind 0), score (1) or value (2).
func (g *signals) store(i, kind int, v dataset.Value) string {
	if kind == 0 {
		word, ok := v.Text()
		if !ok || word == "" {
			return "holds no label"
		}
		g.keepLabel(i, word)
		return ""
	}
	n, ok := v.Number()
	if !ok {
		return "holds no number"
	}
	if kind == 1 {
		g.keepScore(i, n)
	} else {
		g.keepValue(i, n)
	}
	return ""
}
