package api

import (
	"context"
	"sync"

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
	box := newMailbox(r.GetModel())
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		ended <- s.models.Watch(ctx, box.put)
	}()

	err := s.forward(ctx, stream, box, ended)
	cancel()
	for range ended { // no goroutine outlives its stream
	}
	return err
}

// forward sends until the client leaves, the server shuts down, or the models'
// Watch ends, of which ended tells.
func (s *Server) forward(ctx context.Context, stream grpc.ServerStreamingServer[adminv1.WatchResponse], box *mailbox, ended <-chan error) error {
	out := &sender{stream: stream, sent: map[string]uint64{}}
	for _, st := range s.statuses() {
		if err := out.send(st, box.model); err != nil {
			return err
		}
	}
	done := &adminv1.WatchResponse{Event: &adminv1.WatchResponse_ListingComplete{ListingComplete: &adminv1.ListingComplete{}}}
	if err := stream.Send(done); err != nil {
		return err
	}
	for {
		// One of four things can happen: a model has changed, the client left,
		// the server is going away, the models have.
		select {
		case <-box.ready:
			for _, st := range box.take() {
				if err := out.send(st, box.model); err != nil {
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
	sent   map[string]uint64 // revision sent last, by model
}

// send drops what is not newer than what the client has: the first statuses
// that Models.Watch emits are mostly those of the listing.
func (o *sender) send(st rollout.Status, only string) error {
	name := st.State.Model
	if only != "" && name != only {
		return nil
	}
	if last, ok := o.sent[name]; ok && st.Revision <= last {
		return nil
	}
	o.sent[name] = st.Revision
	return o.stream.Send(&adminv1.WatchResponse{Event: &adminv1.WatchResponse_Model{Model: ModelStatus(st)}})
}

// mailbox keeps the newest status of each model until it is taken.
type mailbox struct {
	model string        // only this model; empty: all
	ready chan struct{} // holds a token while the box is not empty

	mu     sync.Mutex
	latest map[string]rollout.Status
	order  []string // models in the order in which they arrived
}

func newMailbox(model string) *mailbox {
	return &mailbox{model: model, ready: make(chan struct{}, 1), latest: map[string]rollout.Status{}}
}

// put never waits.
func (b *mailbox) put(st rollout.Status) {
	name := st.State.Model
	if b.model != "" && b.model != name {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, waiting := b.latest[name]; !waiting {
		b.order = append(b.order, name)
	}
	b.latest[name] = st
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

func (b *mailbox) take() []rollout.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]rollout.Status, 0, len(b.order))
	for _, name := range b.order {
		out = append(out, b.latest[name])
	}
	clear(b.latest)
	b.order = b.order[:0]
	return out
}
