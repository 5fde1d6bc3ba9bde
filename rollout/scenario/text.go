package scenario

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
)

// clock is a simulated time as tests write it, and as a story tells it.
func clock(at, start time.Time) string {
	layout := "15:04:05"
	if d := at.Sub(start); d >= 24*time.Hour || at.Day() != start.Day() {
		layout = "2006-01-02 15:04:05"
	}
	return fmt.Sprintf("%s (%s)", calendar.PlainDuration(at.Sub(start)), at.Format(layout))
}

// Text is the result for people: with failures, or when asked, with the story.
func (r Result) Text(story bool) string {
	var b strings.Builder
	word := "ok  "
	if !r.Passed() {
		word, story = "FAIL", true
	}
	fmt.Fprintf(&b, "%s  %s:%d: %s (%s of %s)\n", word, r.File, r.Line, r.Name, calendar.PlainDuration(r.Ended.Sub(r.Began)), r.Model)
	for _, f := range r.Failures {
		b.WriteString(r.failure(f, "      "))
	}
	if story {
		b.WriteString("      what happened:\n" + r.story("        "))
	}
	return b.String()
}

func (r Result) failure(f Failure, margin string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s:%d: at %s, %s:\n", margin, r.File, f.Line, clock(f.At, r.Began), f.What)
	for _, d := range f.Differences {
		fmt.Fprintf(&b, "%s  %s: expected %s\n", margin, d.Field, d.Expected)
		fmt.Fprintf(&b, "%s  %s       got %s\n", margin, strings.Repeat(" ", len(d.Field)), d.Got)
	}
	return b.String()
}

// story tells what happened, a line for each thing.
func (r Result) story(margin string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, l := range r.Story {
		at := calendar.PlainDuration(l.At.Sub(r.Began))
		if l.Transition == nil {
			fmt.Fprintf(w, "%s%s\t\t\t%s\n", margin, at, clean(l.Text))
			continue
		}
		tr, by := l.Transition, ""
		if tr.Actor != "" {
			by = "[" + tr.Actor + "] "
		}
		fmt.Fprintf(w, "%s%s\t%s\t%s\t%s\n", margin, at, tr.To, split(tr.Weights.Blue), clean(by+tr.Reason))
	}
	_ = w.Flush() // into memory
	return b.String()
}

// split is both weights: 95/5.
func split(blue policy.Weight) string {
	return strings.TrimSuffix(blue.String(), "%") + "/" + strings.TrimSuffix((policy.Full-blue).String(), "%")
}

// clean keeps a text on its line and in its column.
func clean(s string) string { return strings.Join(strings.Fields(s), " ") }
