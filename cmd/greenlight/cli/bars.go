package cli

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"greenlight/api/adminv1"
)

// bars shows how far checks are.
type bars interface {
	show(p *adminv1.CheckProgress)
	// end is called once; what was shown stays.
	end()
}

// newBars draws a bar for each check on a terminal, and elsewhere prints a line
// when a check has begun and when it is done.
func newBars(w io.Writer) bars {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return newDrawnBars(w)
	}
	return &plainBars{w: w, seen: map[string]adminv1.Result{}}
}

type plainBars struct {
	w    io.Writer
	seen map[string]adminv1.Result
}

func (b *plainBars) show(p *adminv1.CheckProgress) {
	if last, ok := b.seen[p.GetCheck()]; ok && last == p.GetResult() {
		return
	}
	b.seen[p.GetCheck()] = p.GetResult()
	text := resultWord(p.GetResult())
	if text == "" {
		text = "runs"
	}
	fmt.Fprintf(b.w, "%s: %s\n", clean(p.GetCheck()), text)
}

func (b *plainBars) end() {}

type drawnBars struct {
	all  *mpb.Progress
	bars map[string]*drawnBar
}

type drawnBar struct {
	bar    *mpb.Bar
	result atomic.Int32 // adminv1.Result, read by the drawing
}

func newDrawnBars(w io.Writer) *drawnBars {
	return &drawnBars{all: mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh(), mpb.WithWidth(48)), bars: map[string]*drawnBar{}}
}

func (b *drawnBars) show(p *adminv1.CheckProgress) {
	d := b.bars[p.GetCheck()]
	if d == nil {
		d = b.add(clean(p.GetCheck()))
		b.bars[p.GetCheck()] = d
	}
	d.result.Store(int32(p.GetResult()))
	if p.GetResult() != adminv1.Result_RESULT_UNSPECIFIED {
		d.bar.SetTotal(max(int64(p.GetDone()), 1), false)
		d.bar.SetCurrent(max(int64(p.GetDone()), 1))
		d.bar.SetTotal(-1, true)
		return
	}
	if p.GetTotal() > 0 {
		d.bar.SetTotal(int64(p.GetTotal()), false)
	}
	d.bar.SetCurrent(int64(p.GetDone()))
}

func (b *drawnBars) add(name string) *drawnBar {
	d := &drawnBar{}
	d.bar = b.all.AddBar(0,
		mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(
			decor.Any(doneOf, decor.WCSyncSpace),
			decor.Any(func(decor.Statistics) string { return " " + resultWord(adminv1.Result(d.result.Load())) }),
		))
	return d
}

// doneOf is "3/20", or "3" while the total is unknown.
func doneOf(s decor.Statistics) string {
	if s.Total <= 0 {
		return strconv.FormatInt(s.Current, 10)
	}
	return fmt.Sprintf("%d/%d", s.Current, s.Total)
}

// end leaves the bars of checks that are not done as they are.
func (b *drawnBars) end() {
	for _, d := range b.bars {
		d.bar.Abort(false)
	}
	b.all.Wait()
}
