package api_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"pgregory.net/rapid"

	"greenlight/api"
	"greenlight/api/adminv1"
	"greenlight/rollout"
)

type stream = grpc.ServerStreamingClient[adminv1.WatchResponse]

func watch(t *testing.T, s *served, model string) stream {
	t.Helper()
	st, err := s.client.Watch(t.Context(), &adminv1.WatchRequest{Model: model})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// listing reads up to the marker and returns the models in the order in which they came.
func listing(t *testing.T, st stream) (models []string) {
	t.Helper()
	for {
		r, err := st.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if r.GetListingComplete() != nil {
			return models
		}
		models = append(models, r.GetModel().GetModel())
	}
}

func next(t *testing.T, st stream) *adminv1.ModelStatus {
	t.Helper()
	r, err := st.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if r.GetModel() == nil {
		t.Fatalf("got %v, want a model", r)
	}
	return r.GetModel()
}

func TestWatchListsThenChanges(t *testing.T) {
	s := serve(t, newModels("b", "a"), &history{}, nil)
	st := watch(t, s, "")
	if got := strings.Join(listing(t, st), ""); got != "ab" {
		t.Fatalf("listing = %q, want a and b", got)
	}
	s.models.set("b", rollout.Preparing)
	if m := next(t, st); m.GetModel() != "b" || m.GetState().GetPhase() != adminv1.Phase_PHASE_PREPARING {
		t.Errorf("change = %v, want b preparing", m)
	}
	s.models.set("new", rollout.Idle)
	if m := next(t, st); m.GetModel() != "new" {
		t.Errorf("change = %v, want the new model", m)
	}
}

func TestWatchOfNothing(t *testing.T) {
	s := serve(t, newModels(), &history{}, nil)
	st := watch(t, s, "")
	if got := listing(t, st); len(got) != 0 {
		t.Fatalf("listing = %v, want none", got)
	}
	s.models.set("first", rollout.Idle)
	if m := next(t, st); m.GetModel() != "first" {
		t.Errorf("change = %v", m)
	}
}

func TestWatchOneModel(t *testing.T) {
	s := serve(t, newModels("a", "b"), &history{}, nil)
	st := watch(t, s, "b")
	if got := strings.Join(listing(t, st), ""); got != "b" {
		t.Fatalf("listing = %q, want b", got)
	}
	s.models.set("a", rollout.Preparing)
	s.models.set("b", rollout.Baking)
	if m := next(t, st); m.GetModel() != "b" || m.GetState().GetPhase() != adminv1.Phase_PHASE_BAKING {
		t.Errorf("change = %v, want b baking", m)
	}
}

func TestWatchUnknownModel(t *testing.T) {
	s := serve(t, newModels("fraud"), &history{}, nil)
	_, err := watch(t, s, "fruad").Recv()
	wantError(t, err, codes.NotFound, api.ReasonNoModel)
}

func TestShutdownEndsWatch(t *testing.T) {
	s := serve(t, newModels("a"), &history{}, nil)
	st := watch(t, s, "")
	listing(t, st)
	s.server.Shutdown()
	if _, err := st.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("Recv = %v, want Unavailable", err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.grpc.GracefulStop()
	}()
	select {
	case <-stopped:
	case <-time.After(10 * time.Second):
		t.Error("GracefulStop waits for a stream that Shutdown has ended")
	}
}

func TestWatchEndsWithTheModels(t *testing.T) {
	s := serve(t, newModels("a"), &history{}, nil)
	st := watch(t, s, "")
	listing(t, st)
	s.models.broken <- errors.New("stopped")
	if _, err := st.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("Recv = %v, want Unavailable", err)
	}
}

// A client that doesn't read holds up no one, and finds the last status.
func TestSlowClientEndsWithTheNewest(t *testing.T) {
	s := serve(t, newModels("a"), &history{}, nil)
	st := watch(t, s, "")
	listing(t, st)
	big := strings.Repeat("x", 8<<10) // some of these fill the stream's window
	const changes = 2000
	began := time.Now()
	for i := range changes {
		s.models.mu.Lock()
		status := s.models.statuses["a"]
		status.Revision++
		status.State.Generation = uint64(i + 1)
		status.State.Problem = big
		s.models.statuses["a"] = status
		for _, emit := range s.models.watchers {
			emit(status)
		}
		s.models.mu.Unlock()
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("%d changes took %v: the models waited for the client", changes, took)
	}
	seen, last := 0, uint64(0)
	for last < changes {
		m := next(t, st)
		if g := m.GetState().GetGeneration(); g <= last {
			t.Fatalf("generation %d came after %d", g, last)
		} else {
			last = g
		}
		seen++
	}
	if seen == changes {
		t.Error("every status was kept for a client that does not read")
	}
}

// However changes fall, before, during or after the listing: a reader that has
// read on knows each model as it is, and has seen none go back.
func TestWatchConverges(t *testing.T) {
	phases := []rollout.Phase{rollout.Idle, rollout.Preparing, rollout.Confirming, rollout.Baking}
	names := []string{"m0", "m1", "m2", "m3"}
	m := newModels("m0", "m1")
	s := serve(t, m, &history{}, nil)
	rapid.Check(t, func(t *rapid.T) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		changes := rapid.SliceOfN(rapid.SampledFrom(names), 1, 30).Draw(t, "changes")
		phase := rapid.SampledFrom(phases).Draw(t, "phase")
		changed := make(chan struct{})
		go func() {
			defer close(changed)
			for _, name := range changes {
				m.set(name, phase)
			}
			m.set("end", phase)
		}()
		st, err := s.client.Watch(ctx, &adminv1.WatchRequest{})
		if err != nil {
			t.Fatal(err)
		}
		<-changed
		want := map[string]uint64{}
		for _, st := range m.Statuses() {
			want[st.State.Model] = st.Revision
		}
		for got := map[string]uint64{}; !maps.Equal(got, want); {
			r, err := st.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if ms := r.GetModel(); ms != nil {
				if ms.GetRevision() <= got[ms.GetModel()] {
					t.Fatalf("%s went from revision %d to %d", ms.GetModel(), got[ms.GetModel()], ms.GetRevision())
				}
				got[ms.GetModel()] = ms.GetRevision()
			}
		}
	})
}
