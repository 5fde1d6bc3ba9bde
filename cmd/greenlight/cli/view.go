package cli

import (
	"fmt"
	"io"
	"os"
	"regexp"
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

const (
	// checksEvery is how often a plain view tells how far long checks are.
	checksEvery = 10 * time.Second
	// soFarEvery is how often it tells what users' requests say so far.
	soFarEvery = time.Minute
)

// plainView prints a line for each change of phase, weight, nodes or problem and
// for each judgement on users' requests, and now and then one that tells how far
// the checks are, or how the running judgement stands.
type plainView struct {
	w      io.Writer
	now    func() time.Time
	last   string
	at     time.Time // when last was printed
	still  string    // the newest status without the figures of its problem
	judged string    // the newest judgement that was printed
	soFar  time.Time // when the running one was printed, or could first have been
}

func (v *plainView) show(m *adminv1.ModelStatus) {
	if line := judgedLine(m); line != "" && line != v.judged {
		fmt.Fprintln(v.w, line)
		v.judged, v.soFar = line, v.now()
	}
	line := progressLine(m, "")
	if v.restless(m) && v.now().Sub(v.at) < checksEvery {
		line = v.last
	}
	v.print(line)
	v.showSoFar(m)
	if checks := checksPart(m); checks != "" && v.now().Sub(v.at) >= checksEvery {
		fmt.Fprintln(v.w, progressLine(m, checks))
		v.at = v.now()
	}
}

// restless reports whether nothing has changed but figures in the problem's words:
// a step that waits for users' traffic counts their requests.
func (v *plainView) restless(m *adminv1.ModelStatus) bool {
	before := v.still
	v.still = progressHead(m, "") + figures.ReplaceAllString(hindranceOf(m), "0")
	return v.still == before
}

var figures = regexp.MustCompile(`[0-9]+`)

func (v *plainView) showSoFar(m *adminv1.ModelStatus) {
	switch {
	case m.GetJudgement() == "":
		v.soFar = time.Time{}
	case v.soFar.IsZero():
		v.soFar = v.now()
	case v.now().Sub(v.soFar) >= soFarEvery:
		fmt.Fprintln(v.w, clean(fmt.Sprintf("%s: users' traffic: %s", m.GetModel(), m.GetJudgement())))
		v.soFar = v.now()
	}
}

// judgedLine is the newest judgement on users' requests; empty if there is none.
func judgedLine(m *adminv1.ModelStatus) string {
	for _, v := range m.GetState().GetSwitch().GetVerdicts() {
		if v.GetKind() == judgementKind {
			return clean(fmt.Sprintf("%s: %s %s: %s", m.GetModel(), v.GetCheck(), resultWord(v.GetResult()), v.GetSummary()))
		}
	}
	return ""
}

// judgementKind is Verdict.kind of what users' traffic says.
const judgementKind = "judge"

func (v *plainView) note(text string) {
	v.still = ""
	v.print(text)
}

func (v *plainView) end() {}

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
		if so := v.m.GetJudgement(); so != "" {
			line += "  " + clean(so)
		}
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
	line := progressHead(m, checks)
	if p := hindranceOf(m); p != "" {
		line += "  ! " + p
	}
	return clean(line)
}

// progressHead is a progressLine without the problem.
func progressHead(m *adminv1.ModelStatus, checks string) string {
	st := m.GetState()
	parts := []string{
		fmt.Sprintf("%s: %-12s", m.GetModel(), phaseWord(st.GetPhase())),
		fmt.Sprintf("blue %s%% green %s%%", percentWord(st.GetWeights().GetBluePercent()), percentWord(st.GetWeights().GetGreenPercent())),
	}
	if mi := st.GetMirror(); mi != nil {
		parts = append(parts, fmt.Sprintf("mirror %s %s%%", colorWord(mi.GetTo()), percentWord(mi.GetPercent())))
	}
	if st.GetReportKnown() {
		parts = append(parts, fmt.Sprintf("%d/%d nodes", ackedNow(m), m.GetReport().GetConnected()))
	}
	if checks != "" {
		parts = append(parts, checks)
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
			at = ": " + c.GetCheck() + progressWord(c, " ")
		}
	}
	return fmt.Sprintf("checks %d/%d%s", done, len(checks), at)
}
