package store_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"greenlight/rollout"
	"greenlight/rollout/record"
	"greenlight/store"
)

// crashEnv makes the test binary a program that commits until it is killed.
const crashEnv = "GREENLIGHT_CRASH_JOURNAL"

// commitUntilKilled counts up, one commit, one report and one part of a recording each, and says each
// number on standard output once all have returned.
func commitUntilKilled(path string) int {
	s, err := store.Open(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	states, err := s.States()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for n := int(states["fraud"].Generation) + 1; ; n++ {
		st := state("fraud", n)
		err := s.Commit(st)
		if err == nil {
			err = s.SaveVerdicts(st.Switch.ID, "validate", []rollout.Verdict{measured("golden", fmt.Sprint(n), 0)})
		}
		if err == nil {
			err = heard(s, st.Switch.ID, n)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(n)
	}
}

func TestKillLosesNoCommitThatReturned(t *testing.T) {
	path := journal(t)
	for range 12 {
		told := runAndKill(t, path, time.Duration(rand.IntN(60))*time.Millisecond)
		s, err := store.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		states, err := s.States()
		if err != nil {
			t.Fatal(err)
		}
		st := states["fraud"]
		// The last commit may be on disk without having been told.
		if got := int(st.Generation); got < told || got > told+1 && told > 0 {
			t.Errorf("told %d, on disk %d", told, got)
		}
		if st.Switch != nil && st.Switch.ID != state("fraud", int(st.Generation)).Switch.ID {
			t.Errorf("generation %d has switch %s", st.Generation, st.Switch.ID)
		}
		a, err := s.Report(state("fraud", told).Switch.ID)
		if err != nil || len(a.Stages) != 1 || a.Stages[0].Verdicts[0].Summary != fmt.Sprint(told) {
			t.Errorf("told %d, the report is %+v, %v", told, a, err)
		}
		r, err := s.Recording(state("fraud", told).Switch.ID)
		if err != nil || !slices.ContainsFunc(r.Entries, func(e record.Entry) bool { return e.Published.Generation == uint64(told) }) {
			t.Errorf("told %d, the recording is %+v, %v", told, r, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// runAndKill lets the program commit for a while, kills it, and returns the
// last number that it told, 0 if none.
func runAndKill(t *testing.T, path string, after time.Duration) (told int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var kill *time.Timer
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if kill == nil { // the clock runs from the first commit
			kill = time.AfterFunc(after, func() { cmd.Process.Kill() })
		}
		if _, err := fmt.Sscan(lines.Text(), &told); err != nil {
			t.Errorf("the program said %q", lines.Text())
		}
	}
	if err := cmd.Wait(); err == nil || told == 0 {
		t.Fatalf("the program ended by itself (%v) after %d", err, told)
	}
	return told
}
