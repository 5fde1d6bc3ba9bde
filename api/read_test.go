package api_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"pgregory.net/rapid"

	"greenlight/api"
	"greenlight/api/adminv1"
	"greenlight/rollout"
)

func TestModelsAreSorted(t *testing.T) {
	s := serve(t, newModels("c", "a", "b"), &history{}, nil)
	r, err := s.client.ListModels(t.Context(), &adminv1.ListModelsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range r.GetModels() {
		got = append(got, m.GetModel())
	}
	if strings.Join(got, "") != "abc" {
		t.Errorf("models = %v, want a b c", got)
	}
}

func TestGetModel(t *testing.T) {
	s := serve(t, newModels("fraud", "churn"), &history{}, nil)
	r, err := s.client.GetModel(t.Context(), &adminv1.GetModelRequest{Model: "churn"})
	if err != nil || r.GetModel().GetModel() != "churn" {
		t.Errorf("GetModel = %v, %v", r, err)
	}
	_, err = s.client.GetModel(t.Context(), &adminv1.GetModelRequest{Model: "frod"})
	wantError(t, err, codes.NotFound, api.ReasonNoModel)
	if want := "did you mean fraud?"; !strings.Contains(err.Error(), want) {
		t.Errorf("error = %v, want it to hold %q", err, want)
	}
	info, _ := detail[*errdetails.ResourceInfo](err)
	if info.GetResourceType() != "model" || info.GetResourceName() != "frod" {
		t.Errorf("ResourceInfo = %v", info)
	}
}

func TestGetFleet(t *testing.T) {
	f := fleets{{Name: "edge", Routes: "r", Nodes: []rollout.NodeView{{Node: "n1"}}}, {Name: "apps"}}
	s := serve(t, newModels(), &history{}, f)
	r, err := s.client.GetFleet(t.Context(), &adminv1.GetFleetRequest{Fleet: "edge"})
	if err != nil || r.GetFleet().GetRoutes() != "r" || len(r.GetFleet().GetNodes()) != 1 {
		t.Errorf("GetFleet = %v, %v", r, err)
	}
	_, err = s.client.GetFleet(t.Context(), &adminv1.GetFleetRequest{Fleet: "egde"})
	wantError(t, err, codes.NotFound, api.ReasonNoFleet)
	if !strings.Contains(err.Error(), "did you mean edge?") {
		t.Errorf("error = %v", err)
	}
	l, err := s.client.ListFleets(t.Context(), &adminv1.ListFleetsRequest{})
	if err != nil || len(l.GetFleets()) != 2 || l.GetFleets()[0].GetName() != "apps" {
		t.Errorf("ListFleets = %v, %v; want apps and edge", l, err)
	}
}

func TestGetSwitch(t *testing.T) {
	h := &history{switches: []rollout.Switch{{ID: "s2", Model: "fraud"}, {ID: "s1", Model: "fraud"}}}
	s := serve(t, newModels("fraud"), h, nil)
	r, err := s.client.GetSwitch(t.Context(), &adminv1.GetSwitchRequest{Id: "s1"})
	if err != nil || r.GetSwitch().GetId() != "s1" {
		t.Errorf("GetSwitch = %v, %v", r, err)
	}
	_, err = s.client.GetSwitch(t.Context(), &adminv1.GetSwitchRequest{Id: "s9"})
	wantError(t, err, codes.NotFound, api.ReasonNoSwitch)
	h.err = errors.New("bbolt: closed")
	_, err = s.client.GetSwitch(t.Context(), &adminv1.GetSwitchRequest{Id: "s1"})
	wantError(t, err, codes.Unavailable, api.ReasonNotReadable)
	_, err = s.client.ListSwitches(t.Context(), &adminv1.ListSwitchesRequest{})
	wantError(t, err, codes.Unavailable, api.ReasonNotReadable)
}

// A model may be gone and have a history, or be new and have none; one with
// neither is a typing error.
func TestHistoryOfUnknownModel(t *testing.T) {
	h := &history{switches: []rollout.Switch{{ID: "s1", Model: "gone"}}}
	s := serve(t, newModels("new"), h, nil)
	for model, want := range map[string]int{"gone": 1, "new": 0, "": 1} {
		r, err := s.client.ListSwitches(t.Context(), &adminv1.ListSwitchesRequest{Model: model})
		if err != nil || len(r.GetSwitches()) != want {
			t.Errorf("history of %q = %v, %v; want %d switches", model, r, err, want)
		}
	}
	_, err := s.client.ListSwitches(t.Context(), &adminv1.ListSwitchesRequest{Model: "nwe"})
	wantError(t, err, codes.NotFound, api.ReasonNoModel)
}

// The switch that a page ended with may have been forgotten since, for newer ones. To ask
// the same again is of no use then, so it is not called unavailable.
func TestAPageTokenThatIsForgotten(t *testing.T) {
	s := serve(t, newModels("fraud"), &history{switches: []rollout.Switch{{ID: "s1", Model: "fraud"}}}, nil)
	_, err := s.client.ListSwitches(t.Context(), &adminv1.ListSwitchesRequest{Model: "fraud", PageToken: "s0"})
	wantError(t, err, codes.InvalidArgument, api.ReasonBadRequest)
}

// Whatever the page size, the pages put together are the whole history, each
// switch once, and only the last page has no token.
func TestPagesAddUp(t *testing.T) {
	h := &history{}
	s := serve(t, newModels("a", "b"), h, nil)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 130).Draw(t, "switches")
		h.switches = nil
		for i := n; i > 0; i-- {
			h.switches = append(h.switches, rollout.Switch{ID: fmt.Sprintf("%04d", i), Model: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "model")})
		}
		model := rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "filter")
		size := rapid.Int32Range(0, 60).Draw(t, "size")
		want, _ := h.Switches(model, 1000, "")
		var got []string
		token := ""
		for {
			r, err := s.client.ListSwitches(context.Background(), &adminv1.ListSwitchesRequest{Model: model, PageSize: size, PageToken: token})
			if err != nil {
				t.Fatal(err)
			}
			for _, sw := range r.GetSwitches() {
				got = append(got, sw.GetId())
			}
			if token = r.GetNextPageToken(); token == "" {
				break
			}
		}
		ids := make([]string, len(want))
		for i, sw := range want {
			ids[i] = sw.ID
		}
		if !slices.Equal(got, ids) {
			t.Fatalf("pages of %d: %v, want %v", size, got, ids)
		}
	})
}

func TestHealthAndReflection(t *testing.T) {
	s := serve(t, newModels(), &history{}, nil)
	health := healthv1.NewHealthClient(s.conn)
	for _, name := range []string{"", "greenlight.admin.v1.AdminService"} {
		r, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{Service: name})
		if err != nil || r.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("health of %q = %v, %v", name, r, err)
		}
	}
	stream, err := reflectionv1.NewServerReflectionClient(s.conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = stream.Send(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "greenlight.admin.v1.AdminService"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := stream.Recv()
	if err != nil || r.GetFileDescriptorResponse() == nil {
		t.Errorf("reflection = %v, %v", r, err)
	}

	s.server.Shutdown()
	s.server.Shutdown() // a second one does nothing
	h, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{})
	if err != nil || h.GetStatus() != healthv1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("health after Shutdown = %v, %v", h, err)
	}
}
