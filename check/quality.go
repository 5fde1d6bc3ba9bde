package check

import (
	"context"
	"errors"

	"greenlight/policy"
	"greenlight/rollout"
)

// runQuality asks the judged color, and the other one if a gate compares with
// it, for predictions of a labelled data set and holds them against the gates.
// The whole file is read first, so that a broken one is known before a request
// is sent.
func (r *Runner) runQuality(ctx context.Context, job rollout.CheckJob, c policy.Check, p *progress) finding {
	q := c.Quality
	s, err := openSample(ctx, q.Data, q.Rows)
	if err != nil {
		return unreadable(ctx, err)
	}
	defer s.close()
	t, err := readTruth(ctx, s, q)
	if err != nil {
		return unreadable(ctx, err)
	}
	b := &bothColors{sample: s}
	idle, live := newAnswers(q, job.Predict.Answer, t), (*answers)(nil)
	if b.idle, err = r.newInterview(job, c, s, job.Target); err != nil {
		return inconclusive("%v", err)
	}
	defer b.close()
	b.idle.take = idle.take
	if q.NeedsLive() {
		other, err := r.newInterview(job, c, s, job.Target.Other())
		if err != nil {
			return inconclusive("%v", err)
		}
		live = newAnswers(q, job.Predict.Answer, t)
		b.live, other.take = other, live.take
	}
	if f := b.ask(ctx, p); f != nil {
		return *f
	}
	rows := b.kept()
	j, err := judge(q, idle, live, b.idle.failed, rows, ctx.Err)
	if err != nil {
		return waiting("the statistics of %s rows", thousands(len(rows)))
	}
	f := j.finding(b, idle, rows)
	f.detail.Charts = qualityCharts(idle, live, answered(rows, b.idle.failed))
	f.detail.Notes = append(f.detail.Notes, j.notes(q.SliceRows)...)
	f.detail.Cases, err = qualityCases(ctx, b, idle, live, rows, job.Predict.Reserved)
	if err != nil {
		return unreadable(ctx, err)
	}
	return f
}

// unreadable is what follows when a data set can't be read.
func unreadable(ctx context.Context, err error) finding {
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return waiting("the data set was still being read")
	}
	return inconclusive("%v", err)
}

// finding sums the judgement up. A row that only the judged color failed on
// fails the check, whatever the metrics say.
func (j *judgement) finding(b *bothColors, idle *answers, rows []int32) finding {
	f := finding{
		result: j.result(), summary: j.summary(len(rows)), measures: j.measures, figures: b.figures(),
		detail: &rollout.Detail{Slices: j.shownSlices(), Notes: b.notes()},
	}
	for i := range j.whole {
		j.whole[i].figures(f.figures)
	}
	if s := swapped(idle, rows); s != "" {
		f.detail.Notes = append(f.detail.Notes, s)
		if f.result == rollout.Fail {
			f.summary += "; " + s
		}
	}
	if n := b.lost(); n > 0 {
		f.result, f.evidence = rollout.Fail, b.idle.evidence.shown()
		f.summary = b.lostInWords(n) + "; " + f.summary
	}
	return f
}
