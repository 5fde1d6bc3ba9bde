package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/store"
)

func TestStatesSurviveReopening(t *testing.T) {
	path := journal(t)
	s := open(t, path)
	want := map[string]rollout.State{
		"fraud": state("fraud", 7),
		"plain": {Model: "plain", Live: policy.Green, Phase: rollout.Idle, Generation: 1, Weights: rollout.AllOn(policy.Green)},
	}
	for _, st := range want {
		if err := s.Commit(st); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := open(t, path).States()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestFactsAreNotJournaled(t *testing.T) {
	s := open(t, journal(t))
	st := state("fraud", 1)
	st.Facts.EndpointsKnown = true
	if err := s.Commit(st); err != nil {
		t.Fatal(err)
	}
	got, err := s.States()
	if err != nil {
		t.Fatal(err)
	}
	if got["fraud"].Facts.EndpointsKnown {
		t.Error("facts came back from disk")
	}
}

func TestCommitReplacesStateAndSwitchTogether(t *testing.T) {
	s := open(t, journal(t))
	st := state("fraud", 1)
	if err := s.Commit(st); err != nil {
		t.Fatal(err)
	}
	ended := *st.Switch
	ended.Outcome, ended.Cause = rollout.RolledBack, "green lost its endpoints"
	st.Phase, st.Switch = rollout.Idle, &ended
	if err := s.Commit(st); err != nil {
		t.Fatal(err)
	}
	states, err := s.States()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(states["fraud"], st) {
		t.Errorf("state is %+v", states["fraud"])
	}
	list, err := s.Switches("fraud", 10, "")
	if err != nil || len(list) != 1 || !reflect.DeepEqual(list[0], ended) {
		t.Errorf("history is %+v, %v", list, err)
	}
}

func TestCommitNamesWhatIsMissing(t *testing.T) {
	s := open(t, journal(t))
	if err := s.Commit(rollout.State{}); err == nil || !strings.Contains(err.Error(), "model has no name") {
		t.Errorf("got %v", err)
	}
	st := state("fraud", 1)
	st.Switch.ID = ""
	if err := s.Commit(st); err == nil || !strings.Contains(err.Error(), "commit state of fraud: switch has no id") {
		t.Errorf("got %v", err)
	}
}

func TestManyModelsCommitAtOnce(t *testing.T) {
	s := open(t, journal(t))
	var wg sync.WaitGroup
	for m := range 20 {
		wg.Go(func() {
			for n := range 10 {
				if err := s.Commit(state(fmt.Sprint("m", m), n)); err != nil {
					t.Error(err)
				}
				set := rollout.EndpointSet{Blue: []rollout.Endpoint{{ID: fmt.Sprint(n)}}}
				if err := s.SaveEndpoints(fmt.Sprint("m", m), set); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	states, err := s.States()
	if err != nil || len(states) != 20 {
		t.Fatalf("%d states, %v", len(states), err)
	}
	for name, st := range states {
		if st.Generation != 9 {
			t.Errorf("%s stands at %d", name, st.Generation)
		}
	}
}

// One write that bbolt refuses must not fail those that share its transaction.
func TestABadWriteFailsAlone(t *testing.T) {
	s := open(t, journal(t))
	var wg sync.WaitGroup
	for n := range 50 {
		wg.Go(func() {
			if err := s.Commit(state("good", n)); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			bad := state("bad", n)
			bad.Model = strings.Repeat("x", 1<<16) // longer than a key can be
			if err := s.Commit(bad); err == nil {
				t.Error("a model name of 64 KB was taken")
			}
		})
	}
	wg.Wait()
	list, err := s.Switches("good", 100, "")
	if err != nil || len(list) != 50 {
		t.Errorf("%d switches, %v", len(list), err)
	}
	if list, _ := s.Switches("bad", 100, ""); len(list) != 0 {
		t.Errorf("%d switches of failed commits were kept", len(list))
	}
}

func TestWritesAfterCloseFail(t *testing.T) {
	s, err := store.Open(journal(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Errorf("close twice: %v", err)
	}
	if err := s.Commit(state("fraud", 1)); err == nil || !strings.Contains(err.Error(), "journal is closed") {
		t.Errorf("commit after close: %v", err)
	}
}
