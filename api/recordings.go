package api

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"

	"greenlight/api/adminv1"
)

// GetRecording implements adminv1.AdminServiceServer.
func (s *Server) GetRecording(_ context.Context, r *adminv1.GetRecordingRequest) (*adminv1.GetRecordingResponse, error) {
	var v violations
	v.switchID("switch_id", r.GetSwitchId())
	if err := v.err(); err != nil {
		return nil, err
	}
	found, err := s.history.Recording(r.GetSwitchId())
	if err != nil {
		return nil, notReadable(err)
	}
	if found == nil {
		sw, err := s.history.Switch(r.GetSwitchId())
		switch {
		case err != nil:
			return nil, notReadable(err)
		case sw == nil:
			return nil, noSwitch(r.GetSwitchId())
		}
		return nil, failure(codes.NotFound, ReasonNoRecording,
			fmt.Sprintf("nothing is kept of what switch %s heard: it may be too old", r.GetSwitchId()))
	}
	raw, err := found.Marshal()
	if err != nil {
		return nil, failure(codes.Unavailable, ReasonNotReadable, fmt.Sprintf("the recording can't be sent: %v", err))
	}
	return &adminv1.GetRecordingResponse{Recording: raw}, nil
}
