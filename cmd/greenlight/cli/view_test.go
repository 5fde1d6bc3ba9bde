package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"greenlight/api/adminv1"
)

func baking(left time.Duration) *adminv1.ModelStatus {
	return &adminv1.ModelStatus{
		Model:  "fraud",
		Policy: &adminv1.Policy{},
		State: &adminv1.State{
			Phase: adminv1.Phase_PHASE_BAKING, ReportKnown: true, Weights: &adminv1.Weights{GreenPercent: 100},
			Deadline: timestamppb.New(time.Now().Add(left)),
		},
		Report: &adminv1.Report{Connected: 3, Acked: 3},
	}
}

// frames are what a terminal has shown, one after the other.
func frames(drawn string) []string {
	return strings.Split(drawn, "\r\x1b[K")[1:]
}

func TestLiveViewCountsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		v := newLiveView(&app{now: time.Now}, &out, func() int { return 200 })
		v.show(baking(90 * time.Second))
		time.Sleep(2500 * time.Millisecond)
		v.note("the server is away, trying again")
		v.end()
		want := []string{
			"fraud: baking        blue 0% green 100%  3/3 nodes  1m30s left",
			"fraud: baking        blue 0% green 100%  3/3 nodes  1m29s left",
			"fraud: baking        blue 0% green 100%  3/3 nodes  1m28s left",
			"the server is away, trying again",
			"",
		}
		if got := frames(out.String()); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("frames:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// A line that fills the terminal would wrap, and the next one not cover it.
func TestLiveViewStaysOnOneLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		width := rapid.IntRange(1, 120).Draw(t, "width")
		v := newLiveView(&app{now: time.Now}, &out, func() int { return width })
		m := baking(time.Hour)
		m.State.Problem = rapid.String().Draw(t, "problem")
		v.show(m)
		v.end()
		for _, f := range frames(out.String()) {
			if n := len([]rune(f)); n >= width && width > 1 {
				t.Fatalf("%d characters on a terminal of %d: %q", n, width, f)
			}
			if strings.ContainsAny(f, "\n\r\x1b") {
				t.Fatalf("the line moves the cursor: %q", f)
			}
		}
	})
}

func TestPlainViewPrintsChanges(t *testing.T) {
	var out bytes.Buffer
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	v := &plainView{w: &out, now: func() time.Time { return now }}
	m := baking(time.Hour)
	v.show(m)
	m.State.Deadline = timestamppb.Now() // time alone is no change
	v.show(m)
	m.PolicyProblem = "policies/fraud.yaml:7:3" // of a file that the switch does not go by
	v.show(m)
	m.Checks = []*adminv1.CheckProgress{
		{Check: "ready", Done: 2, Total: 2}, {Check: "golden", Done: 5, Total: 20}, {Check: "later"},
	}
	v.show(m) // so soon, how far the checks are is no news
	now = now.Add(checksEvery)
	v.show(m)
	v.show(m)
	m.State.Problem = "green\nfails"
	v.show(m)
	m.State.Generation++ // the report speaks of the routing before
	v.show(m)
	want := `fraud: baking        blue 0% green 100%  3/3 nodes
fraud: baking        blue 0% green 100%  3/3 nodes  checks 1/3: golden 5/20
fraud: baking        blue 0% green 100%  3/3 nodes  ! green fails
fraud: baking        blue 0% green 100%  0/3 nodes  ! green fails
`
	if out.String() != want {
		t.Errorf("printed:\n%swant:\n%s", out.String(), want)
	}
}

// A log shows every judgement, and now and then how the running one stands.
func TestPlainViewTellsWhatUsersSay(t *testing.T) {
	var out bytes.Buffer
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	v := &plainView{w: &out, now: func() time.Time { return now }}
	m := baking(time.Hour)
	m.State.Phase, m.State.Weights = adminv1.Phase_PHASE_SHADOWING, &adminv1.Weights{BluePercent: 100}
	m.State.Mirror = &adminv1.Mirror{To: adminv1.Color_COLOR_GREEN, Percent: 12.5}
	m.Judgement = "no worse so far"
	for range 130 {
		v.show(m)
		now = now.Add(time.Second)
	}
	m.State.Mirror = nil
	m.State.Phase, m.State.Weights = adminv1.Phase_PHASE_HOLDING, &adminv1.Weights{BluePercent: 95, GreenPercent: 5}
	m.State.Switch = &adminv1.Switch{Verdicts: []*adminv1.Verdict{
		{Check: "golden", Kind: "golden", Result: adminv1.Result_RESULT_PASS},
		{Check: "user traffic", Kind: "judge", Result: adminv1.Result_RESULT_PASS, Summary: "green is no\nworse"},
	}}
	v.show(m)
	v.show(m)
	want := `fraud: shadowing     blue 100% green 0%  mirror green 12.5%  3/3 nodes
fraud: users' traffic: no worse so far
fraud: users' traffic: no worse so far
fraud: user traffic pass: green is no worse
fraud: holding       blue 95% green 5%  3/3 nodes
`
	if out.String() != want {
		t.Errorf("printed:\n%swant:\n%s", out.String(), want)
	}
}

// A wait for users' requests counts them every second; a log is told every now and then.
func TestPlainViewSparesFigures(t *testing.T) {
	var out bytes.Buffer
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	v := &plainView{w: &out, now: func() time.Time { return now }}
	m := baking(time.Hour)
	for n := range 15 {
		m.State.Problem = fmt.Sprintf("seen %d of 1000 requests", n)
		v.show(m)
		now = now.Add(time.Second)
	}
	m.Report.Acked = 2
	v.show(m)
	want := `fraud: baking        blue 0% green 100%  3/3 nodes  ! seen 0 of 1000 requests
fraud: baking        blue 0% green 100%  3/3 nodes  ! seen 10 of 1000 requests
fraud: baking        blue 0% green 100%  2/3 nodes  ! seen 14 of 1000 requests
`
	if out.String() != want {
		t.Errorf("printed:\n%swant:\n%s", out.String(), want)
	}
}

func TestLiveViewTellsWhatUsersSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		v := newLiveView(&app{now: time.Now}, &out, func() int { return 200 })
		m := baking(90 * time.Second)
		m.Judgement = "no worse\nso far"
		v.show(m)
		v.end()
		if got, want := frames(out.String())[0], "fraud: baking        blue 0% green 100%  3/3 nodes  1m30s left  no worse so far"; got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 1234 * time.Microsecond: "1ms", 1440 * time.Millisecond: "1.4s",
		42 * time.Second: "42s", 2*time.Minute + 5*time.Second: "2m5s", 2 * time.Minute: "2m",
		3*time.Hour + 59*time.Second: "3h", 3*time.Hour + 20*time.Minute: "3h20m", 47 * time.Hour: "47h", 72 * time.Hour: "3d",
		20 * time.Minute: "20m", 10 * time.Hour: "10h",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestPlainReason(t *testing.T) {
	for message, want := range map[string]string{
		`connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`: "connection refused",
		`name resolver error: produced zero addresses`:                                                                 "its name has no address",
		`gone`: "gone",
	} {
		if got := plain(message); got != want {
			t.Errorf("plain(%q) = %q, want %q", message, got, want)
		}
	}
}

func TestALongCauseIsCutInTheList(t *testing.T) {
	for cause, want := range map[string]string{
		"aborted by ann":         "aborted by ann",
		strings.Repeat("é", 80):  strings.Repeat("é", 80),
		strings.Repeat("é", 200): strings.Repeat("é", 79) + "…",
	} {
		if got := brief(cause); got != want {
			t.Errorf("brief(%q) = %q, want %q", cause, got, want)
		}
	}
}
