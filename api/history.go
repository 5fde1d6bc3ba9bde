package api

import (
	"context"

	"greenlight/api/adminv1"
)

// defaultPage is how many switches are answered when the request doesn't say.
const defaultPage = 50

// ListSwitches implements adminv1.AdminServiceServer. The page token is the id
// of the last switch that the client has: ids sort by time, so switches that
// start between two pages move nothing.
func (s *Server) ListSwitches(_ context.Context, r *adminv1.ListSwitchesRequest) (*adminv1.ListSwitchesResponse, error) {
	var v violations
	v.atMost("model", r.GetModel(), maxName)
	v.atMost("page_token", r.GetPageToken(), maxName)
	if n := r.GetPageSize(); n < 0 || n > maxPage {
		v.add("page_size", "is %d; must be 1 to %d, or 0 for %d", n, maxPage, defaultPage)
	}
	if err := v.err(); err != nil {
		return nil, err
	}
	if err := s.checkPage(r.GetPageToken()); err != nil {
		return nil, err
	}
	size := int(r.GetPageSize())
	if size == 0 {
		size = defaultPage
	}
	// One more than asked tells whether there is a next page.
	found, err := s.history.Switches(r.GetModel(), size+1, r.GetPageToken())
	if err != nil {
		return nil, notReadable(err)
	}
	if len(found) == 0 && r.GetModel() != "" && r.GetPageToken() == "" {
		// A model that is gone from the policies may have a history; one that
		// has neither is a typing error.
		if _, ok := s.status(r.GetModel()); !ok {
			return nil, s.noModel(r.GetModel())
		}
	}
	out := &adminv1.ListSwitchesResponse{}
	if len(found) > size {
		found = found[:size]
		out.NextPageToken = found[size-1].ID
	}
	for i := range found {
		out.Switches = append(out.Switches, Switch(&found[i]))
	}
	return out, nil
}

// checkPage refuses a page token that names no switch which is kept.
func (s *Server) checkPage(token string) error {
	if token == "" {
		return nil
	}
	sw, err := s.history.Switch(token)
	switch {
	case err != nil:
		return notReadable(err)
	case sw == nil:
		var v violations
		v.add("page_token", "names no switch that is kept (any more); begin with the first page")
		return v.err()
	default:
		return nil
	}
}

// GetSwitch implements adminv1.AdminServiceServer.
func (s *Server) GetSwitch(_ context.Context, r *adminv1.GetSwitchRequest) (*adminv1.GetSwitchResponse, error) {
	var v violations
	v.switchID("id", r.GetId())
	if err := v.err(); err != nil {
		return nil, err
	}
	sw, err := s.history.Switch(r.GetId())
	if err != nil {
		return nil, notReadable(err)
	}
	if sw == nil {
		return nil, noSwitch(r.GetId())
	}
	return &adminv1.GetSwitchResponse{Switch: Switch(sw)}, nil
}
