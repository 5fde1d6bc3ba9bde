package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"greenlight/api/adminv1"
)

// view shows the progress of a switch.
type view interface {
	// show is called with every status of the model.
	show(m *adminv1.ModelStatus)
	// note shows something else that the person should know.
	note(text string)
	// end is called once, before the verdict is printed.
	end()
}

// newView draws one line again and again on a terminal, and elsewhere prints
// a line for each change.
func (a *app) newView(w io.Writer) view {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &plainView{w: w, now: a.now}
	}
	width := func() int {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
		return 80
	}
	return newLiveView(a, w, width)
}

// checksEvery is how often a plain view tells how far long checks are.
const checksEvery = 10 * time.Second

// plainView prints a line for each change of phase, weight, nodes or problem,
// and now and then one that tells how far the checks are.
type plainView struct {
	w    io.Writer
	now  func() time.Time
	last string
	at   time.Time // when last was printed
}

func (v *plainView) show(m *adminv1.ModelStatus) {
	v.print(progressLine(m, ""))
	if checks := checksPart(m); checks != "" && v.now().Sub(v.at) >= checksEvery {
		fmt.Fprintln(v.w, progressLine(m, checks))
		v.at = v.now()
	}
}

func (v *plainView) note(text string) { v.print(text) }
func (v *plainView) end()             {}

func (v *plainView) print(line string) {
	if line != v.last {
		fmt.Fprintln(v.w, line)
		v.last, v.at = line, v.now()
	}
}

// liveView keeps one line of a terminal up to date.
type liveView struct {
	app   *app
	w     io.Writer
	width func() int
	stop  chan struct{}
	done  chan struct{}

	mu   sync.Mutex
	m    *adminv1.ModelStatus // nil before the first one
	said string               // a note, until the next status
}

func newLiveView(a *app, w io.Writer, width func() int) *liveView {
	v := &liveView{app: a, w: w, width: width, stop: make(chan struct{}), done: make(chan struct{})}
	go v.tick()
	return v
}

// tick redraws for the countdown.
func (v *liveView) tick() {
	defer close(v.done)
	t := time.NewTicker(redrawEvery)
	defer t.Stop()
	for {
		select {
		case <-v.stop:
			return
		case <-t.C:
			v.mu.Lock()
			v.draw()
			v.mu.Unlock()
		}
	}
}

func (v *liveView) show(m *adminv1.ModelStatus) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.m, v.said = m, ""
	v.draw()
}

func (v *liveView) note(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.said = text
	v.draw()
}

// end wipes the line, so that the verdict takes its place.
func (v *liveView) end() {
	close(v.stop)
	<-v.done
	fmt.Fprint(v.w, "\r\x1b[K")
}

// draw is called with mu held. The line never fills the terminal's width: it
// would wrap, and the next one would not cover it.
func (v *liveView) draw() {
	line := v.said
	if line == "" && v.m != nil {
		line = progressLine(v.m, checksPart(v.m)) + v.app.countdown(v.m.GetState())
	}
	text := []rune(line)
	if limit := max(v.width()-1, 1); len(text) > limit {
		text = append(text[:limit-1], '…')
	}
	fmt.Fprintf(v.w, "\r\x1b[K%s", string(text))
}

// countdown is what a terminal shows of the time that is left.
func (a *app) countdown(st *adminv1.State) string {
	if st.GetDeadline() == nil {
		return ""
	}
	return "  " + a.left(st.GetDeadline()) + " left"
}

// progressLine says where a switch is: phase, weights, nodes, checks, problem.
// It holds nothing that changes by time alone.
func progressLine(m *adminv1.ModelStatus, checks string) string {
	st := m.GetState()
	parts := []string{
		fmt.Sprintf("%s: %-12s", m.GetModel(), phaseWord(st.GetPhase())),
		fmt.Sprintf("blue %s%% green %s%%", percentWord(st.GetWeights().GetBluePercent()), percentWord(st.GetWeights().GetGreenPercent())),
	}
	if st.GetReportKnown() {
		parts = append(parts, fmt.Sprintf("%d/%d nodes", ackedNow(m), m.GetReport().GetConnected()))
	}
	if checks != "" {
		parts = append(parts, checks)
	}
	if p := problemOf(m); p != "" {
		parts = append(parts, "! "+p)
	}
	return clean(strings.Join(parts, "  "))
}

// ackedNow counts the nodes that ACKed the present routing: a report of an
// earlier one says nothing of it.
func ackedNow(m *adminv1.ModelStatus) int32 {
	if m.GetReport().GetGeneration() != m.GetState().GetGeneration() {
		return 0
	}
	return m.GetReport().GetAcked()
}

// checksPart counts the checks that are through, and names the running one
// that is furthest behind in policy order.
func checksPart(m *adminv1.ModelStatus) string {
	checks := m.GetChecks()
	if len(checks) == 0 {
		return ""
	}
	done, at := 0, ""
	for _, c := range checks {
		switch {
		case c.GetTotal() > 0 && c.GetDone() >= c.GetTotal():
			done++
		case at == "":
			at = fmt.Sprintf(": %s %s", c.GetCheck(), progressWord(c))
		}
	}
	return fmt.Sprintf("checks %d/%d%s", done, len(checks), at)
}
