package api

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"greenlight/api/adminv1"
	"greenlight/rollout"
)

// Watch implements adminv1.AdminServiceServer: the whole listing, the marker,
// then each change. Between the models and the stream stands a mailbox with
// room for one status a model, so a slow client holds up nobody and still ends
// with the newest.
func (s *Server) Watch(r *adminv1.WatchRequest, stream grpc.ServerStreamingServer[adminv1.WatchResponse]) error {
	if r.GetModel() != "" {
		if _, ok := s.status(r.GetModel()); !ok {
			return s.noModel(r.GetModel())
		}
	}
	ctx, cancel := context.WithCancel(stream.Context())
	box := newMailbox[rollout.Status]()
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		ended <- s.models.Watch(ctx, func(st rollout.Status) {
			if name := st.State.Model; r.GetModel() == "" || r.GetModel() == name {
				box.put(name, st)
			}
		})
	}()

	out := &sender{stream: stream, model: r.GetModel(), sent: map[string]uint64{}}
	err := s.forward(ctx, out, box, ended)
	cancel()
	for range ended { // no goroutine outlives its stream
	}
	return err
}

// forward sends until the client leaves, the server shuts down, or the models'
// Watch ends, of which ended tells.
func (s *Server) forward(ctx context.Context, out *sender, box *mailbox[rollout.Status], ended <-chan error) error {
	for _, st := range s.statuses() {
		if err := out.send(st); err != nil {
			return err
		}
	}
	done := &adminv1.WatchResponse{Event: &adminv1.WatchResponse_ListingComplete{ListingComplete: &adminv1.ListingComplete{}}}
	if err := out.stream.Send(done); err != nil {
		return err
	}
	for {
		// One of four things can happen: a model has changed, the client left,
		// the server is going away, the models have.
		select {
		case <-box.ready:
			for _, st := range box.take() {
				if err := out.send(st); err != nil {
					return err
				}
			}
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case <-s.closing.Done():
			return status.Error(codes.Unavailable, "the server is shutting down")
		case err := <-ended:
			if ctx.Err() != nil {
				return status.FromContextError(ctx.Err()).Err()
			}
			s.log.WarnContext(ctx, "watch of the models ended", "error", err)
			return status.Error(codes.Unavailable, "the server stopped watching its models")
		}
	}
}

// sender sends statuses in the order of their revisions. It is used by one goroutine.
type sender struct {
	stream grpc.ServerStreamingServer[adminv1.WatchResponse]
	model  string            // only this model; empty: all
	sent   map[string]uint64 // revision sent last, by model
}

// send drops what is not newer than what the client has: the first statuses
// that Models.Watch emits are mostly those of the listing.
func (o *sender) send(st rollout.Status) error {
	name := st.State.Model
	if o.model != "" && name != o.model {
		return nil
	}
	if last, ok := o.sent[name]; ok && st.Revision <= last {
		return nil
	}
	o.sent[name] = st.Revision
	return o.stream.Send(&adminv1.WatchResponse{Event: &adminv1.WatchResponse_Model{Model: ModelStatus(st)}})
}
