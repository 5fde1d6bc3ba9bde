package xds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// maxNames bounds what one stream may subscribe to of one kind.
const maxNames = 100_000

// maxUnknown bounds how many unknown types of one stream are logged.
const maxUnknown = 16

// connection is the part of a gRPC stream that is used here.
type connection interface {
	Context() context.Context
	SendMsg(any) error
	RecvMsg(any) error
}

// stream is one discovery stream. One goroutine receives and one sends; they
// meet under the node's mutex.
type stream struct {
	server     *Server
	conn       connection
	aggregated bool
	only       kind // of a stream that is not aggregated
	delta      bool
	peer       string // address of the connection's other end; empty if unknown
	node       *node  // set by the first request, before anything is sent
	awake      chan struct{}
	unknown    map[string]struct{} // types that were asked for in vain; the receiver's own

	// The node's mutex guards the rest.
	watches [kinds]*watch
	nonces  uint64
}

// serve runs a stream to its end.
func (s *Server) serve(conn connection, delta, aggregated bool, only kind) error {
	st := &stream{
		server: s, conn: conn, aggregated: aggregated, only: only, delta: delta,
		awake: make(chan struct{}, 1), unknown: map[string]struct{}{},
	}
	if p, ok := peer.FromContext(conn.Context()); ok {
		st.peer = p.Addr.String()
	}
	received := make(chan error, 1)
	joined := make(chan struct{})
	go func() { received <- st.receive(joined) }()
	err := st.run(joined, received)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return err
}

// receive takes requests until the stream ends, and then takes the stream off
// its node. It closes joined when the stream belongs to a node.
func (st *stream) receive(joined chan<- struct{}) error {
	defer st.server.leave(st)
	for {
		known := st.node != nil
		if err := st.receiveOne(); err != nil {
			return err
		}
		if !known && st.node != nil {
			close(joined)
		}
	}
}

func (st *stream) receiveOne() error {
	if st.delta {
		req := &discoveryv3.DeltaDiscoveryRequest{}
		if err := st.conn.RecvMsg(req); err != nil {
			return err
		}
		return st.takeDelta(req)
	}
	req := &discoveryv3.DiscoveryRequest{}
	if err := st.conn.RecvMsg(req); err != nil {
		return err
	}
	return st.takeSotw(req)
}

// run sends. It wakes when one of three things happened: the stream may have
// something to send, it ended, or the server ends.
func (st *stream) run(joined <-chan struct{}, received <-chan error) error {
	for _, first := range []<-chan struct{}{joined, st.server.opened} {
		select {
		case <-first:
		case err := <-received:
			return err
		case <-st.server.closed:
			return errClosed
		}
	}
	st.wake()
	for {
		select {
		case <-st.awake:
			if err := st.sendAll(); err != nil {
				return err
			}
		case err := <-received:
			return err
		case <-st.server.closed:
			return errClosed
		}
	}
}

var errClosed = status.Error(codes.Unavailable, "this server is shutting down; reconnect")

func (st *stream) wake() {
	select {
	case st.awake <- struct{}{}:
	default:
	}
}

// sendAll sends until nothing is left that may be sent now.
func (st *stream) sendAll() error {
	for {
		f := st.next()
		if f == nil {
			return nil
		}
		if err := st.conn.SendMsg(f); err != nil {
			return fmt.Errorf("send answer: %w", err)
		}
	}
}

// next is the next answer: clusters before endpoints before listeners before
// routes.
func (st *stream) next() *frame {
	st.node.mu.Lock()
	defer st.node.mu.Unlock()
	for _, w := range st.watches {
		if w == nil || w.flight != nil {
			continue
		}
		if f := w.compose(); f != nil {
			return f
		}
	}
	return nil
}

func (w *watch) compose() *frame {
	switch {
	case w.stream.delta:
		return w.composeDelta()
	case w.all != nil:
		return w.composeAll()
	case w.kind.whole():
		return w.composeWhole()
	default:
		return w.composeSome()
	}
}

// waiting reports whether there may be something to tell.
func (w *watch) waiting() bool {
	if a := w.all; a != nil && (a.again || a.unsure || a.wanted != a.acked) {
		return true
	}
	return len(w.dirty) > 0 || w.fresh && w.wildcard
}

func (st *stream) nonce() string {
	st.nonces++
	return strconv.FormatUint(st.nonces, 10)
}

// kindOf finds what a request asks for. Types that are not served are logged
// once per stream, and the stream stays: an Envoy may ask for secrets too.
func (st *stream) kindOf(url string) (kind, bool) {
	if url == "" && !st.aggregated {
		return st.only, true
	}
	k, ok := kindOf(url)
	if ok && (st.aggregated || k == st.only) {
		return k, true
	}
	if _, seen := st.unknown[url]; !seen && len(st.unknown) < maxUnknown {
		st.unknown[url] = struct{}{}
		st.server.log.Warn("request for a type that this stream does not serve", "type", url)
	}
	return 0, false
}

// identify makes the stream part of a node, once.
func (st *stream) identify(id *corev3.Node, k kind, names []string) error {
	switch {
	case st.node != nil:
		if st.aggregated && st.node.spoke() {
			st.server.unsaved.Store(true)
		}
		return nil
	case id.GetId() == "":
		return status.Error(codes.InvalidArgument, "the first request must carry node.id: acknowledgements are counted per node")
	case id.GetCluster() == "" && !isProxyless(agentOf(id)):
		return status.Error(codes.InvalidArgument, "the first request must carry node.cluster: it names the fleet")
	}
	st.server.enter(st, id, k, names)
	return nil
}

func tooMany(k kind) error {
	return status.Errorf(codes.ResourceExhausted, "a stream may subscribe to at most %d resources of type %s", maxNames, k)
}

func (st *stream) newWatch(k kind) *watch {
	w := &watch{kind: k, stream: st, held: map[string]*holding{}, dirty: map[string]*holding{}, fresh: true}
	st.watches[k] = w
	return w
}

// withheld reports whether a test keeps a resource back.
func (w *watch) withheld(name string) bool {
	f := w.stream.server.withhold.Load()
	return f != nil && (*f)(w.stream.node.key.id, w.kind, name)
}

// pick is what the node may be given of a resource now; nil if nothing.
func (w *watch) pick(h *holding) *blob {
	if w.withheld(h.name) {
		return nil
	}
	b := h.wanted
	if b != nil && w.kind == route {
		for b = w.gated(h); b != nil && w.convicts(h, b); {
			b = w.gated(h)
		}
	}
	if b != nil && h.refused[b.version] != nil {
		b = nil
	}
	if b == nil && h.again && h.acked != nil && h.refused[h.acked.version] == nil {
		return h.acked // what was asked for is answered, if only with what was good before
	}
	if b != nil && !h.again && !h.unsure && h.acked != nil && h.acked.version == b.version {
		return nil
	}
	return b
}

// sent notes that b is on its way.
func (w *watch) sent(h *holding, b *blob) {
	h.out, h.again = b, false
	h.count()
	w.moved(h, nil)
	w.tidy(h)
}

// tidy keeps h dirty only while there is more to tell than is on its way.
func (w *watch) tidy(h *holding) {
	if h.wanted == nil && !w.stream.delta && !w.kind.whole() {
		delete(w.dirty, h.name) // there is nothing to say until there is one
		return
	}
	if h.again {
		return
	}
	last := h.acked
	if h.out != nil {
		last = h.out
	}
	if h.wanted != nil && last != nil && last.version == h.wanted.version && (h.out != nil || !h.unsure) {
		delete(w.dirty, h.name)
	}
}
