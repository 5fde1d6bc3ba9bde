package api_test

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"greenlight/api"
	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
)

// Who approves is who a proxy has authenticated, if there is one, with the groups
// that the server knows.
func TestApprove(t *testing.T) {
	s := serve(t, newModels("fraud"), &history{}, nil)
	for name, c := range map[string]struct{ field, proxy, want string }{
		"the request says": {"bob", "", "bob"},
		"a proxy knows":    {"bob", "eve", "eve"},
	} {
		ctx := t.Context()
		if c.proxy != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, api.ActorKey, c.proxy)
		}
		if _, err := s.client.Approve(ctx, &adminv1.ApproveRequest{Model: "fraud", Actor: c.field, Reason: "seen"}); err != nil {
			t.Fatal(err)
		}
		got := s.models.last(t)
		if got.Verb != rollout.Approve || got.Actor != c.want || got.Reason != "seen" || !slices.Equal(got.Groups, []string{"friends of " + c.want}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	_, err := s.client.Approve(t.Context(), &adminv1.ApproveRequest{Model: "fraud", Actor: "nobody"})
	wantError(t, err, codes.Unavailable, api.ReasonNotDone)
	if !strings.Contains(err.Error(), "groups.yaml") {
		t.Error(err)
	}
}

// Who starts a switch under another name is known to the proxy all the same, and what a
// client puts beside the proxy's word counts for nobody.
func TestWhoAProxyKnows(t *testing.T) {
	s := serve(t, newModels("fraud"), &history{}, nil)
	ctx := metadata.AppendToOutgoingContext(t.Context(), api.ActorKey, "eve")
	if _, err := s.client.StartSwitch(ctx, &adminv1.StartSwitchRequest{Model: "fraud", Actor: "nobody"}); err != nil {
		t.Fatal(err)
	}
	if got := s.models.last(t); got.Actor != "nobody" || got.Proven != "eve" {
		t.Errorf("%+v", got)
	}
	ctx = metadata.AppendToOutgoingContext(t.Context(), api.ActorKey, "bob", api.ActorKey, "eve")
	_, err := s.client.Approve(ctx, &adminv1.ApproveRequest{Model: "fraud"})
	wantError(t, err, codes.InvalidArgument, api.ReasonBadRequest)
	_, err = s.client.StartSwitch(ctx, &adminv1.StartSwitchRequest{Model: "fraud"})
	wantError(t, err, codes.InvalidArgument, api.ReasonBadRequest)
}

// friends are the groups of a test's server.
func friends(person string) ([]string, error) {
	if person == "nobody" {
		return nil, errors.New("read groups.yaml: no such file")
	}
	return []string{"friends of " + person}, nil
}

func TestRequeue(t *testing.T) {
	m := newModels("a", "b", "c", "other", "idle")
	for name, order := range map[string]int64{"a": 1000, "b": 2000, "c": 3000, "other": 1500, "idle": 0} {
		group := "ranking"
		if name == "other" {
			group = "else"
		}
		st := m.statuses[name]
		st.Policy = &policy.Model{Name: name, Queue: policy.Queue{Group: group, AtMost: 1}}
		if name != "idle" {
			st.State.Phase, st.State.Queued.Order = rollout.Waiting, order
		}
		m.statuses[name] = st
	}
	s := serve(t, m, &history{}, nil)
	for name, c := range map[string]struct {
		r    *adminv1.RequeueRequest
		want func(int64) bool
	}{
		"first":  {&adminv1.RequeueRequest{Model: "c"}, func(n int64) bool { return n < 1000 }},
		"last":   {&adminv1.RequeueRequest{Model: "a", Last: true}, func(n int64) bool { return n > 3000 }},
		"before": {&adminv1.RequeueRequest{Model: "c", BeforeModel: "b"}, func(n int64) bool { return n > 1000 && n < 2000 }},
		"top":    {&adminv1.RequeueRequest{Model: "c", BeforeModel: "a"}, func(n int64) bool { return n < 1000 }},
	} {
		if _, err := s.client.Requeue(t.Context(), c.r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := s.models.last(t); got.Verb != rollout.Requeue || !c.want(got.Order) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, r := range []*adminv1.RequeueRequest{
		{Model: "c", BeforeModel: "other"}, {Model: "c", BeforeModel: "idle"}, {Model: "c", BeforeModel: "a", Last: true}, {},
	} {
		_, err := s.client.Requeue(t.Context(), r)
		wantError(t, err, codes.InvalidArgument, api.ReasonBadRequest)
	}
}

// Between two places there is always one more, however often somebody is put there.
func TestRequeueManyTimes(t *testing.T) {
	m := newModels("a", "b", "c", "d", "same")
	for name, order := range map[string]int64{"a": 1000, "b": 1001, "c": 1002, "d": 1003, "same": 1003} {
		st := m.statuses[name]
		st.Policy = &policy.Model{Name: name, Queue: policy.Queue{Group: "ranking", AtMost: 1}}
		st.State.Phase, st.State.Queued.Order = rollout.Waiting, order
		m.statuses[name] = st
	}
	queue := func() []string {
		m.mu.Lock()
		defer m.mu.Unlock()
		return slices.SortedFunc(maps.Keys(m.statuses), func(a, b string) int {
			return cmp.Or(cmp.Compare(m.statuses[a].State.Queued.Order, m.statuses[b].State.Queued.Order), cmp.Compare(a, b))
		})
	}
	want := queue()
	m.do = func(model string, c rollout.Command) (rollout.Status, error) {
		m.mu.Lock()
		st := m.statuses[model]
		st.State.Queued.Order = c.Order
		m.statuses[model] = st
		m.mu.Unlock()
		others := func(all []string) []string {
			return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return name == want[0] })
		}
		if got := queue(); want[0] != model && !slices.Equal(others(got), others(want[1:])) {
			t.Errorf("%s made room and passed somebody: %q", model, got)
		}
		return st, nil
	}
	s := serve(t, m, &history{}, nil)
	for range 100 { // whoever is first comes before the last
		if _, err := s.client.Requeue(t.Context(), &adminv1.RequeueRequest{Model: want[0], BeforeModel: want[4]}); err != nil {
			t.Fatal(err)
		}
		want = []string{want[1], want[2], want[3], want[0], want[4]}
		if got := queue(); !slices.Equal(got, want) {
			t.Fatalf("the queue is %q; want %q", got, want)
		}
	}
}
