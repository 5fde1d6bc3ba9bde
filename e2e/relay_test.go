package e2e

import (
	"context"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// relay stands between Envoys and the xDS server. It can withhold responses
// of a type from a node and cut nodes off, which neither Envoy nor Greenlight notices
// as anything but a slow or a broken network.
type relay struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
	address string
	conn    *grpc.ClientConn

	mu        sync.Mutex
	changed   chan struct{}         // closed and replaced at every change of rules
	withheld  map[string][]string   // by node: type URLs
	cut       map[string]bool       // by node
	corrupted map[string]string     // by node: the type whose resources are made impossible
	sent      map[string][]response // by node: what went through, in order
	answers   map[string][]answer   // by node: ACKs and NACKs
}

type response struct{ Type, Version, Nonce string }

type answer struct {
	Type, Nonce, Error string
	At                 time.Time
}

func startRelay(t testing.TB, xds string) *relay {
	t.Helper()
	conn, err := grpc.NewClient(xds, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{
		address: l.Addr().String(), conn: conn, changed: make(chan struct{}),
		withheld: map[string][]string{}, cut: map[string]bool{}, corrupted: map[string]string{},
		sent: map[string][]response{}, answers: map[string][]answer{},
	}
	s := grpc.NewServer()
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(s, r)
	go s.Serve(l)
	t.Cleanup(func() { s.Stop(); conn.Close() })
	return r
}

// set changes the rules.
func (r *relay) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
	close(r.changed)
	r.changed = make(chan struct{})
}

// withhold keeps responses of the types from the node until release.
func (r *relay) withhold(node string, types ...string) { r.set(func() { r.withheld[node] = types }) }

func (r *relay) release(node string) { r.set(func() { delete(r.withheld, node) }) }

// cutOff breaks the node's streams and refuses new ones until mend.
func (r *relay) cutOff(node string) { r.set(func() { r.cut[node] = true }) }

func (r *relay) mend(node string) { r.set(func() { delete(r.cut, node) }) }

// corrupt makes the node's resources of a type impossible from the next
// response on, as a fault of the control plane would.
func (r *relay) corrupt(node, typ string) { r.set(func() { r.corrupted[node] = typ }) }

func (r *relay) mendContent(node string) { r.set(func() { delete(r.corrupted, node) }) }

// nacks counts the node's rejections.
func (r *relay) nacks(node string) []answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []answer
	for _, a := range r.answers[node] {
		if a.Error != "" {
			out = append(out, a)
		}
	}
	return out
}

// acks counts the node's ACKs of a type.
func (r *relay) acks(node, typ string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.acksOf(node, typ))
}

// acksOf lists them; the caller holds mu.
func (r *relay) acksOf(node, typ string) []answer {
	var out []answer
	for _, a := range r.answers[node] {
		if a.Type == typ && a.Nonce != "" && a.Error == "" {
			out = append(out, a)
		}
	}
	return out
}

// awaitAck gives the time of the node's ACK after the first n; zero if none comes.
func (r *relay) awaitAck(ctx context.Context, node, typ string, n int) time.Time {
	for {
		r.mu.Lock()
		acks, changed := r.acksOf(node, typ), r.changed
		r.mu.Unlock()
		if len(acks) > n {
			return acks[n].At
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return time.Time{}
		}
	}
}

// allowed tells whether a response of a type may reach the node now, and gives
// the channel that is closed when the answer may have changed.
func (r *relay) allowed(node, typ string) (bool, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.cut[node] && !slices.Contains(r.withheld[node], typ), r.changed
}

// watchCut cancels the stream when its node is cut off.
func (r *relay) watchCut(ctx context.Context, cancel func(), node string) {
	for {
		r.mu.Lock()
		changed, cut := r.changed, r.cut[node]
		r.mu.Unlock()
		if cut {
			cancel()
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// StreamAggregatedResources relays a state-of-the-world stream.
func (r *relay) StreamAggregatedResources(down discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	return relayStream(r, down, discoveryv3.NewAggregatedDiscoveryServiceClient(r.conn).StreamAggregatedResources,
		func(req *discoveryv3.DiscoveryRequest) (*corev3.Node, answer) {
			return req.GetNode(), answer{Type: req.GetTypeUrl(), Nonce: req.GetResponseNonce(), Error: req.GetErrorDetail().GetMessage()}
		},
		func(resp *discoveryv3.DiscoveryResponse) response {
			return response{resp.GetTypeUrl(), resp.GetVersionInfo(), resp.GetNonce()}
		})
}

// DeltaAggregatedResources relays an incremental stream.
func (r *relay) DeltaAggregatedResources(down discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	return relayStream(r, down, discoveryv3.NewAggregatedDiscoveryServiceClient(r.conn).DeltaAggregatedResources,
		func(req *discoveryv3.DeltaDiscoveryRequest) (*corev3.Node, answer) {
			return req.GetNode(), answer{Type: req.GetTypeUrl(), Nonce: req.GetResponseNonce(), Error: req.GetErrorDetail().GetMessage()}
		},
		func(resp *discoveryv3.DeltaDiscoveryResponse) response {
			return response{resp.GetTypeUrl(), resp.GetSystemVersionInfo(), resp.GetNonce()}
		})
}

// relayStream copies both ways until one side ends.
func relayStream[Req, Resp any](r *relay, down grpc.BidiStreamingServer[Req, Resp],
	open func(context.Context, ...grpc.CallOption) (grpc.BidiStreamingClient[Req, Resp], error),
	read func(*Req) (*corev3.Node, answer), look func(*Resp) response,
) error {
	ctx, cancel := context.WithCancel(down.Context())
	defer cancel()
	first, err := down.Recv()
	if err != nil {
		return err
	}
	peer, _ := read(first)
	node := peer.GetId()
	if ok, _ := r.allowed(node, ""); !ok {
		return io.ErrUnexpectedEOF
	}
	go r.watchCut(ctx, cancel, node)
	up, err := open(ctx)
	if err != nil {
		return err
	}
	go func() {
		defer cancel()
		for req := first; ; {
			_, a := read(req)
			a.At = time.Now()
			r.set(func() { r.answers[node] = append(r.answers[node], a) })
			if up.Send(req) != nil {
				return
			}
			if req, err = down.Recv(); err != nil {
				return
			}
		}
	}()
	arrived := make(chan *Resp)
	go func() {
		defer cancel()
		for {
			resp, err := up.Recv()
			if err != nil {
				return
			}
			select {
			case arrived <- resp:
			case <-ctx.Done():
				return
			}
		}
	}()
	return deliver(ctx, r, node, arrived, look, down.Send)
}

// deliver sends what arrives, in order within each type; a withheld type does
// not hold up the others.
func deliver[Resp any](ctx context.Context, r *relay, node string, arrived <-chan *Resp, look func(*Resp) response, send func(*Resp) error) error {
	var waiting []*Resp
	for {
		var changed <-chan struct{}
		var left []*Resp
		for _, resp := range waiting {
			seen := look(resp)
			ok, c := r.allowed(node, seen.Type)
			changed = c
			if !ok {
				left = append(left, resp)
				continue
			}
			r.note(func() {
				r.sent[node] = append(r.sent[node], seen)
				if r.corrupted[node] == seen.Type {
					makeImpossible(resp)
				}
			})
			if err := send(resp); err != nil {
				return err
			}
		}
		waiting = left
		select {
		case resp := <-arrived:
			waiting = append(waiting, resp)
		case <-changed: // nil, so never, while nothing waits
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *relay) note(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// makeImpossible truncates every resource of a response, so that no client can
// decode it.
func makeImpossible(resp any) {
	switch resp := resp.(type) {
	case *discoveryv3.DiscoveryResponse:
		for _, r := range resp.GetResources() {
			r.Value = append(r.GetValue(), 0xff)
		}
	case *discoveryv3.DeltaDiscoveryResponse:
		for _, r := range resp.GetResources() {
			r.Resource.Value = append(r.GetResource().GetValue(), 0xff)
		}
	}
}
