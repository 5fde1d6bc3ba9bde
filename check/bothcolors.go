package check

import (
	"context"
	"errors"
	"fmt"

	"greenlight/rollout"
)

// bothColors asks the judged color and, unless live is nil, the one that it is
// compared with for predictions of the same rows at the same time.
type bothColors struct {
	sample     *sample
	idle, live *interview
}

func (b *bothColors) all() []*interview {
	if b.live == nil {
		return []*interview{b.idle}
	}
	return []*interview{b.idle, b.live}
}

func (b *bothColors) close() {
	for _, v := range b.all() {
		v.pool.Close()
	}
}

// ask asks for all rows; when one color ends early, so does the other. It
// answers nil if there is something to measure, and else why there is not.
func (b *bothColors) ask(ctx context.Context, p *progress) *finding {
	p.begin(b.sample.rows * len(b.all()))
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	var g group
	for _, v := range b.all() {
		g.run(func() {
			if v.run(asking, p); v.err != nil {
				cancel()
			}
		})
	}
	g.wait()
	f := b.heard(ctx)
	if f != nil {
		f.figures = b.figures()
	}
	return f
}

func (b *bothColors) heard(ctx context.Context) *finding {
	if n := b.outstanding(); n > 0 && ctx.Err() != nil {
		return &finding{outstanding: n, evidence: b.idle.evidence.shown()}
	}
	for _, v := range b.all() {
		if v.err != nil && !v.gaveUp() && !errors.Is(v.err, context.Canceled) {
			f := inconclusive("%v", v.err)
			return &f
		}
	}
	switch {
	case b.idle.gaveUp():
		return &finding{result: rollout.Fail, evidence: b.idle.evidence.shown(),
			summary: fmt.Sprintf("%v; %s of %s rows were asked", b.idle.err, thousands(int(b.idle.asked.Load())), thousands(b.sample.rows))}
	case b.live == nil:
		return nil
	case b.live.gaveUp() || float64(b.live.failures) > maxLiveFailed*float64(b.sample.rows):
		return b.liveFailed()
	}
	return nil
}

// liveFailed is what follows when the live color is nothing to compare with:
// the judged one fails if it was wrong where live was not.
func (b *bothColors) liveFailed() *finding {
	summary := fmt.Sprintf("%s failed on %s of %s rows: there is nothing to compare with",
		b.live.color, thousands(b.live.failures), thousands(b.sample.rows))
	if b.live.gaveUp() {
		summary = b.live.err.Error()
	}
	if n := b.lost(); n > 0 {
		return &finding{result: rollout.Fail, summary: b.lostInWords(n) + "; " + summary, evidence: b.idle.evidence.shown()}
	}
	return &finding{result: rollout.Inconclusive, evidence: b.live.evidence.shown(),
		summary: summary + b.first(b.live)}
}

func (b *bothColors) first(v *interview) string {
	if e := v.evidence.shown(); len(e) > 0 {
		return "; first: " + inWords(e[0])
	}
	return ""
}

// outstanding is how many rows were neither answered nor failed.
func (b *bothColors) outstanding() int {
	n := 0
	for _, v := range b.all() {
		n += b.sample.rows - int(v.asked.Load())
	}
	return n
}

// kept is the rows that both colors are compared on: all but those that the
// live color failed on.
func (b *bothColors) kept() []int32 {
	rows := make([]int32, 0, b.sample.rows)
	for i := range b.sample.rows {
		if b.live == nil || !b.live.failed[i] {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// lost counts the rows that the judged color failed on and the live one, if it
// was asked, did not. One is enough to fail: users would have met it.
func (b *bothColors) lost() int {
	n := 0
	for i, failed := range b.idle.failed {
		if failed && (b.live == nil || !b.live.failed[i]) {
			n++
		}
	}
	return n
}

func (b *bothColors) lostInWords(n int) string {
	s := fmt.Sprintf("%s failed on %s", b.idle.color, plural(n, "row"))
	if b.live != nil {
		s += fmt.Sprintf(" that %s answered", b.live.color)
	}
	return s + b.first(b.idle)
}

func (b *bothColors) figures() map[string]float64 {
	figures := map[string]float64{"rows": float64(b.sample.rows), "errors.idle": float64(b.idle.failures)}
	if b.live != nil {
		figures["errors.live"] = float64(b.live.failures)
	}
	return figures
}

// notes say which rows the figures speak of.
func (b *bothColors) notes() []string {
	var notes []string
	if n := b.sample.note(); n != "" {
		notes = append(notes, n)
	}
	if b.live != nil && b.live.failures > 0 {
		notes = append(notes, fmt.Sprintf("%s left out: %s failed on them%s",
			plural(b.live.failures, "row"), b.live.color, b.first(b.live)))
	}
	return notes
}
