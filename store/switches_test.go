package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"greenlight/rollout"
	"greenlight/store"
)

func ids(list []rollout.Switch) []string {
	var out []string
	for _, sw := range list {
		out = append(out, sw.ID)
	}
	return out
}

func commit(t testing.TB, s *store.Store, states ...rollout.State) {
	t.Helper()
	for _, st := range states {
		if err := s.Commit(st); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSwitchesNewestFirst(t *testing.T) {
	s := open(t, journal(t))
	// "a" is a prefix of "ab": the one's listing must not run into the other's.
	commit(t, s, state("a", 1), state("ab", 2), state("a", 3), state("b", 4), state("a", 5))
	for _, c := range []struct {
		model  string
		limit  int
		before string
		want   []string
	}{
		{"a", 10, "", []string{"a-000005", "a-000003", "a-000001"}},
		{"a", 2, "", []string{"a-000005", "a-000003"}},
		{"a", 2, "a-000003", []string{"a-000001"}},
		{"a", 2, "a-000001", nil},
		{"ab", 10, "", []string{"ab-000002"}},
		{"b", 10, "a-000005", []string{"b-000004"}},
		{"none", 10, "", nil},
		{"", 10, "", []string{"a-000005", "b-000004", "a-000003", "ab-000002", "a-000001"}},
		{"", 2, "b-000004", []string{"a-000003", "ab-000002"}},
		{"", 0, "", nil},
	} {
		list, err := s.Switches(c.model, c.limit, c.before)
		if err != nil || !slices.Equal(ids(list), c.want) {
			t.Errorf("%+v: got %v, %v", c, ids(list), err)
		}
	}
	if _, err := s.Switches("a", 1, "gone"); err == nil || !strings.Contains(err.Error(), `"gone": no such switch`) {
		t.Errorf("unknown bound: %v", err)
	}
}

func TestFindSwitch(t *testing.T) {
	s := open(t, journal(t))
	commit(t, s, state("fraud", 1), state("spam", 1))
	if sw, err := s.Switch("spam-000001"); err != nil || sw.Model != "spam" {
		t.Errorf("by id: %+v, %v", sw, err)
	}
	if sw, err := s.Switch("none"); sw != nil || err != nil {
		t.Errorf("unknown id: %+v, %v", sw, err)
	}
	if sw, err := s.SwitchByKey("spam", "key-1"); err != nil || sw == nil || sw.ID != "spam-000001" {
		t.Errorf("by key: %+v, %v", sw, err)
	}
	if sw, err := s.SwitchByKey("spam", "key-2"); err != nil || sw != nil {
		t.Errorf("unknown key: %+v, %v", sw, err)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	s := open(t, journal(t))
	commit(t, s, state("other", 0))
	for n := range store.Keep + 3 {
		commit(t, s, state("fraud", n))
	}
	list, err := s.Switches("fraud", 2*store.Keep, "")
	if err != nil || len(list) != store.Keep {
		t.Fatalf("%d switches are kept, %v", len(list), err)
	}
	if oldest := list[len(list)-1].ID; oldest != "fraud-000003" {
		t.Errorf("oldest is %s", oldest)
	}
	if sw, err := s.SwitchByKey("fraud", "key-2"); sw != nil || err != nil {
		t.Errorf("the key of a dropped switch leads to %+v, %v", sw, err)
	}
	all, err := s.Switches("", 2*store.Keep, "")
	if err != nil || len(all) != store.Keep+1 || all[len(all)-1].ID != "other-000000" {
		t.Errorf("%d switches of all models, %v", len(all), err)
	}
	// With a clock that went back the new switch sorts first, and stays.
	commit(t, s, state("fraud", -5000))
	if sw, err := s.Switch("fraud--05000"); sw == nil || err != nil {
		t.Errorf("got %+v, %v", sw, err)
	}
	if states, err := s.States(); err != nil || states["fraud"].Switch == nil {
		t.Errorf("the state lost its switch: %v", err)
	}
}

// Paging through any history gives each switch once, in order, whatever the
// order in which they were written.
func TestPagesJoinUp(t *testing.T) {
	path := journal(t)
	s := open(t, path)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		name := fmt.Sprint("m", round)
		starts := rapid.SliceOfNDistinct(rapid.IntRange(0, 500), 1, 12, rapid.ID[int]).Draw(t, "starts")
		for _, n := range starts {
			if err := s.Commit(state(name, n)); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(starts)
		slices.Reverse(starts)
		var want, got []string
		for _, n := range starts {
			want = append(want, fmt.Sprintf("%s-%06d", name, n))
		}
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		for before := ""; ; before = got[len(got)-1] {
			page, err := s.Switches(name, limit, before)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, ids(page)...)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}
