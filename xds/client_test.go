package xds

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
)

var quiet = slog.New(slog.DiscardHandler)

// client is a state-of-the-world xDS client that does only what a test says.
type client struct {
	t      testing.TB
	stream interface {
		Send(*discoveryv3.DiscoveryRequest) error
		Recv() (*discoveryv3.DiscoveryResponse, error)
	}
	fleet, id, agent string
	first            bool
	names            [kinds][]string
	last             [kinds]*discoveryv3.DiscoveryResponse
	got              chan *discoveryv3.DiscoveryResponse
	ended            chan error
	close            func()
}

func (r *rig) client(id string) *client { return r.clientOn(r.dial(), "edge", id, "envoy") }

func (r *rig) clientOn(conn *grpc.ClientConn, fleet, id, agent string) *client {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	st, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).StreamAggregatedResources(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	c := &client{t: r.t, stream: st, fleet: fleet, id: id, agent: agent, first: true}
	c.begin(cancel)
	return c
}

// begin reads answers until the stream ends; close ends it.
func (c *client) begin(cancel func()) {
	c.got, c.ended = make(chan *discoveryv3.DiscoveryResponse, 1000), make(chan error, 1)
	go func() {
		for {
			m, err := c.stream.Recv()
			if err != nil {
				c.ended <- err
				close(c.ended)
				return
			}
			c.got <- m
		}
	}()
	c.close = func() {
		cancel()
		<-c.ended
	}
	c.t.Cleanup(c.close)
}

func (c *client) send(req *discoveryv3.DiscoveryRequest) {
	c.t.Helper()
	if c.first {
		req.Node = nodeOf(c.fleet, c.id)
		req.Node.UserAgentName = c.agent
		c.first = false
	}
	if err := c.stream.Send(req); err != nil {
		c.t.Fatal(err)
	}
}

// ask subscribes, or repeats a subscription with the nonce that it had last.
func (c *client) ask(k kind, names ...string) {
	c.t.Helper()
	c.names[k] = names
	req := &discoveryv3.DiscoveryRequest{TypeUrl: typeURLs[k], ResourceNames: names}
	if last := c.last[k]; last != nil {
		req.VersionInfo, req.ResponseNonce = last.VersionInfo, last.Nonce
	}
	c.send(req)
}

// recv is the next answer, which must be of kind k.
func (c *client) recv(k kind) *discoveryv3.DiscoveryResponse {
	c.t.Helper()
	select {
	case m := <-c.got:
		if m.TypeUrl != typeURLs[k] {
			c.t.Fatalf("got %s, want %s", m.TypeUrl, typeURLs[k])
		}
		c.last[k] = m
		return m
	case <-time.After(10 * time.Second):
		c.t.Fatalf("no %s came", k)
		return nil
	}
}

// none makes sure that nothing is sent for a moment.
func (c *client) none() {
	c.t.Helper()
	select {
	case m := <-c.got:
		c.t.Fatalf("got %s %v, want nothing", m.TypeUrl, resourceNames(c.t, m.Resources))
	case <-time.After(40 * time.Millisecond):
	}
}

func (c *client) ack(k kind) {
	c.t.Helper()
	m := c.last[k]
	c.send(&discoveryv3.DiscoveryRequest{TypeUrl: typeURLs[k], ResourceNames: c.names[k], VersionInfo: m.VersionInfo, ResponseNonce: m.Nonce})
}

func (c *client) nack(k kind, reason string) {
	c.t.Helper()
	c.send(&discoveryv3.DiscoveryRequest{
		TypeUrl: typeURLs[k], ResourceNames: c.names[k], ResponseNonce: c.last[k].Nonce,
		ErrorDetail: &rpcstatus.Status{Code: 3, Message: reason},
	})
}

// want receives an answer of kind k with exactly names, and ACKs it.
func (c *client) want(k kind, names ...string) *discoveryv3.DiscoveryResponse {
	c.t.Helper()
	m := c.recv(k)
	if got := resourceNames(c.t, m.Resources); !slices.Equal(got, names) {
		c.t.Fatalf("%s: got %v, want %v", k, got, names)
	}
	c.ack(k)
	return m
}

// warm takes what an Envoy takes at its start: clusters and endpoints.
func (c *client) warm(names ...string) {
	c.t.Helper()
	c.ask(cluster)
	c.want(cluster, names...)
	c.ask(endpoint, names...)
	c.want(endpoint, names...)
}

// join is the whole start of an Envoy of fleet edge that routes fraud.
func (c *client) join() {
	c.t.Helper()
	c.warm("fraud/blue", "fraud/green")
	c.ask(route, "edge")
	c.want(route, "edge")
}

const fraudHost = "fraud.models.internal"
