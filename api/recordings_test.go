package api_test

import (
	"errors"
	"testing"

	"google.golang.org/grpc/codes"

	"greenlight/api"
	"greenlight/api/adminv1"
	"greenlight/rollout"
	"greenlight/rollout/record"
)

func TestGetRecording(t *testing.T) {
	s := serve(t, newModels("fraud"), &history{}, nil)
	s.history.switches = []rollout.Switch{{ID: "s1", Model: "fraud"}, {ID: "s2", Model: "fraud"}}
	s.history.recordings = map[string]record.Recording{
		"s1": {Switch: rollout.Switch{ID: "s1"}, Entries: []record.Entry{{Restarted: true}}},
	}
	got, err := s.client.GetRecording(t.Context(), &adminv1.GetRecordingRequest{SwitchId: "s1"})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := record.Unmarshal(got.GetRecording()); err != nil || r.Switch.ID != "s1" || len(r.Entries) != 1 || !r.Entries[0].Restarted {
		t.Errorf("got %+v, %v", r, err)
	}
	_, err = s.client.GetRecording(t.Context(), &adminv1.GetRecordingRequest{SwitchId: "s2"})
	wantError(t, err, codes.NotFound, api.ReasonNoRecording)
	_, err = s.client.GetRecording(t.Context(), &adminv1.GetRecordingRequest{SwitchId: "s3"})
	wantError(t, err, codes.NotFound, api.ReasonNoSwitch)
	_, err = s.client.GetRecording(t.Context(), &adminv1.GetRecordingRequest{})
	wantError(t, err, codes.InvalidArgument, api.ReasonBadRequest)
	s.history.err = errors.New("disk is gone")
	_, err = s.client.GetRecording(t.Context(), &adminv1.GetRecordingRequest{SwitchId: "s1"})
	wantError(t, err, codes.Unavailable, api.ReasonNotReadable)
}
