package check

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"

	"greenlight/check/shown"
	"greenlight/policy"
	"greenlight/rollout"
)

// maxEvidence is how many failures a verdict shows.
const maxEvidence = 10

// maxShown is how many runes of an expected or received value a verdict shows.
const maxShown = 200

// finding is what one check found; the runner makes a verdict of it.
type finding struct {
	result   rollout.Result
	summary  string
	figures  map[string]float64
	measures []rollout.Measure
	evidence []rollout.Evidence
	detail   *rollout.Detail
	// outstanding counts the answers that the end of the check's context kept
	// from coming. The result means nothing while it is not 0.
	outstanding int
	// blameless: what is outstanding is not the model's to give (the rest of a
	// file, the answer of another service); summary says what it is.
	blameless bool
	// final: measuring again would find the same, as long as nobody changes
	// policy or configuration.
	final bool
}

func inconclusive(format string, args ...any) finding {
	return finding{result: rollout.Inconclusive, summary: fmt.Sprintf(format, args...)}
}

// final is inconclusive, and stays so however often it is measured.
func final(format string, args ...any) finding {
	f := inconclusive(format, args...)
	f.final = true
	return f
}

// waiting is what a check found that ctx ended while it waited for something
// that the model is not to blame for.
func waiting(format string, args ...any) finding {
	f := inconclusive(format, args...)
	f.outstanding, f.blameless = 1, true
	return f
}

// interrupted replaces the result of a check that did not finish. Whoever
// cancelled run does not want to know; the check's own time-out is a failure,
// for a model that can't answer in time is no better than one that answers
// wrong. If somebody else let the check wait, it says nothing of the model.
func (f finding) interrupted(run context.Context, c policy.Check) finding {
	f.result = rollout.Inconclusive
	switch {
	case run.Err() != nil && f.blameless:
		f.summary = cancelled(run)
	case run.Err() != nil:
		f.summary = fmt.Sprintf("%s with %s outstanding", cancelled(run), plural(f.outstanding, "answer"))
	case f.blameless:
		f.summary = fmt.Sprintf("timed out after %v: %s", c.Timeout, f.summary)
	default:
		f.result = rollout.Fail
		f.summary = fmt.Sprintf("timed out after %v with %s outstanding", c.Timeout, plural(f.outstanding, "answer"))
		if len(f.evidence) > 0 {
			f.summary += "; first: " + inWords(f.evidence[0])
		}
	}
	return f
}

// evidenceList keeps the first failures: those on the first lines, whatever the
// order in which answers came. It may be used by many goroutines.
type evidenceList struct {
	mu    sync.Mutex
	first []failure // sorted, at most maxEvidence
}

// failure is evidence with what sorts it.
type failure struct {
	// late: no answer came. It says less than a wrong one and goes behind it.
	late bool
	line int // of the golden case; 0 where there is none
	rollout.Evidence
}

func (f failure) compare(o failure) int {
	switch {
	case f.late != o.late && o.late:
		return -1
	case f.late != o.late:
		return 1
	}
	return cmp.Or(cmp.Compare(f.line, o.line), cmp.Compare(f.Endpoint, o.Endpoint))
}

func (l *evidenceList) add(f failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, _ := slices.BinarySearchFunc(l.first, f, failure.compare)
	if at < maxEvidence {
		f.Expected, f.Got = shorten(f.Expected), shorten(f.Got)
		l.first = slices.Insert(l.first, at, f)
		l.first = l.first[:min(len(l.first), maxEvidence)]
	}
}

// shown is the evidence for a verdict.
func (l *evidenceList) shown() []rollout.Evidence {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []rollout.Evidence
	for _, f := range l.first {
		all = append(all, f.Evidence)
	}
	return all
}

// shorten makes s what a verdict shows of a value.
func shorten(s string) string { return shown.Shorten(s, maxShown) }

// inWords is evidence as a clause of a sentence.
func inWords(e rollout.Evidence) string {
	where := e.Endpoint
	if e.Case != "" {
		where = e.Case + " on " + where
	}
	return fmt.Sprintf("%s: expected %s, got %s", where, e.Expected, e.Got)
}

// origin names an endpoint: "green 10.0.0.1:8080 (fraud-green-1)".
func origin(color policy.Color, e rollout.Endpoint) string {
	return fmt.Sprintf("%s %s (%s)", color, hostPort(e), e.ID)
}

func hostPort(e rollout.Endpoint) string {
	return net.JoinHostPort(e.Address, strconv.Itoa(e.Port))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// noAnswer is evidence of an answer that had not come when the check ended.
const noAnswer = "no answer when the check ended"
