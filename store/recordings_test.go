package store_test

import (
	"crypto/rand"
	"testing"
	"time"

	"greenlight/rollout/record"
	"greenlight/store"
)

// heard keeps one part of a recording, of an entry with this generation.
func heard(s *store.Store, id string, generation int) error {
	at := began.Add(time.Duration(generation) * time.Second)
	part, err := record.Pack([]record.Entry{{At: at, Published: &record.Published{Generation: uint64(generation)}}})
	if err != nil {
		return err
	}
	return s.AppendRecording(id, at, part)
}

// recorded is the generations that a recording tells of.
func recorded(t *testing.T, s *store.Store, id string) (out []uint64) {
	t.Helper()
	r, err := s.Recording(id)
	if err != nil {
		t.Fatal(err)
	}
	if r == nil {
		return nil
	}
	if r.Switch.ID != id {
		t.Errorf("the recording of %s is of switch %s", id, r.Switch.ID)
	}
	for _, e := range r.Entries {
		out = append(out, e.Published.Generation)
	}
	return out
}

func TestRecordingsAreReadInOrder(t *testing.T) {
	path := journal(t)
	s := open(t, path)
	st, other := state("fraud", 1), state("fraud", 12)
	commit(t, s, st, other)
	for _, n := range []int{3, 1, 2, 2, 300} { // again is harmless
		if err := heard(s, st.Switch.ID, n); err != nil {
			t.Fatal(err)
		}
	}
	if err := heard(s, "nobody", 1); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and once more after a restart
		if got := recorded(t, s, st.Switch.ID); len(got) != 4 || got[0] != 1 || got[1] != 2 || got[2] != 3 || got[3] != 300 {
			t.Errorf("got %v", got)
		}
		for _, id := range []string{other.Switch.ID, "nobody"} {
			if got := recorded(t, s, id); got != nil {
				t.Errorf("of %s: %v", id, got)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, path)
	}
}

// TestRecordingsAreKeptOfTheNewest: of a model's newest switches, and not beyond a size.
func TestRecordingsAreKeptOfTheNewest(t *testing.T) {
	s := open(t, journal(t))
	n := store.KeepRecordings + 5
	var ids []string
	for i := range n {
		for _, model := range []string{"fraud", "churn"} {
			st := state(model, 10*i)
			commit(t, s, st)
			if err := heard(s, st.Switch.ID, i); err != nil {
				t.Fatal(err)
			}
			if model == "fraud" {
				ids = append(ids, st.Switch.ID)
			}
		}
	}
	for i, id := range ids {
		if got := len(recorded(t, s, id)); (got == 1) != (i >= n-store.KeepRecordings) {
			t.Errorf("switch %d of %d: %d entries", i, n, got)
		}
	}
	last := ids[n-1]
	junk := make([]byte, record.MaxSize/4)
	rand.Read(junk)
	for i := range 10 {
		part, err := record.Pack([]record.Entry{{At: began, Published: &record.Published{}, Verdict: &record.Verdict{Summary: string(junk)}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.AppendRecording(last, began.Add(time.Duration(i)*time.Minute), part); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(recorded(t, s, last)); got < 2 || got > 6 {
		t.Errorf("%d parts of a quarter each", got-1)
	}
}
