package resource_test

import (
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// adsStub is as little of an xDS server as a client needs to take these
// resources: state of the world, every stream answered once per request that is
// no ACK, and again after replace.
type adsStub struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer

	mu        sync.Mutex
	resources map[string]map[string]*anypb.Any // by type URL and name
	changed   chan struct{}                    // closed by replace
	version   int
	rejected  []string
	acked     map[string]int             // highest version ACKed, by type URL
	asked     map[string]map[string]bool // names ever asked for, by type URL
}

func startADS(t *testing.T, resources ...proto.Message) (*adsStub, string) {
	t.Helper()
	s := &adsStub{changed: make(chan struct{}), acked: map[string]int{}, asked: map[string]map[string]bool{}}
	s.replace(t, resources...)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(g, s)
	go func() { _ = g.Serve(lis) }()
	t.Cleanup(g.Stop)
	return s, lis.Addr().String()
}

func (s *adsStub) replace(t *testing.T, resources ...proto.Message) {
	t.Helper()
	all := map[string]map[string]*anypb.Any{}
	for _, r := range resources {
		a, err := anypb.New(r)
		if err != nil {
			t.Fatal(err)
		}
		if all[a.TypeUrl] == nil {
			all[a.TypeUrl] = map[string]*anypb.Any{}
		}
		all[a.TypeUrl][nameOf(r)] = a
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources = all
	s.version++
	close(s.changed)
	s.changed = make(chan struct{})
}

func nameOf(m proto.Message) string {
	switch r := m.(type) {
	case *endpointv3.ClusterLoadAssignment:
		return r.ClusterName
	case *clusterv3.Cluster:
		return r.Name
	case *listenerv3.Listener:
		return r.Name
	case *routev3.RouteConfiguration:
		return r.Name
	}
	return ""
}

func (s *adsStub) StreamAggregatedResources(stream discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	requests := make(chan *discoveryv3.DiscoveryRequest)
	go func() {
		defer close(requests)
		for {
			r, err := stream.Recv()
			if err != nil {
				return
			}
			select {
			case requests <- r:
			case <-stream.Context().Done():
				return
			}
		}
	}()
	wanted := map[string][]string{}
	for {
		changed := s.change()
		select {
		case <-stream.Context().Done():
			return nil
		case <-changed:
			for _, typeURL := range slices.Sorted(mapKeys(wanted)) {
				if err := stream.Send(s.answer(typeURL, wanted[typeURL])); err != nil {
					return err
				}
			}
		case r, ok := <-requests:
			if !ok {
				return nil
			}
			known, seen := wanted[r.TypeUrl]
			wanted[r.TypeUrl] = r.ResourceNames
			s.note(r)
			if seen && r.ResponseNonce != "" && slices.Equal(known, r.ResourceNames) && !s.rewarms(r) {
				continue
			}
			if err := stream.Send(s.answer(r.TypeUrl, r.ResourceNames)); err != nil {
				return err
			}
		}
	}
}

func mapKeys(m map[string][]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (s *adsStub) change() chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *adsStub) note(r *discoveryv3.DiscoveryRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked[r.TypeUrl] == nil {
		s.asked[r.TypeUrl] = map[string]bool{}
	}
	for _, n := range r.ResourceNames {
		s.asked[r.TypeUrl][n] = true
	}
	if r.ErrorDetail != nil {
		s.rejected = append(s.rejected, r.TypeUrl+": "+r.ErrorDetail.Message)
		return
	}
	if v, err := strconv.Atoi(r.VersionInfo); err == nil {
		s.acked[r.TypeUrl] = v
	}
}

// rewarms: Envoy repeats its request for endpoints, old version and all, when a
// cluster changed; unanswered, the cluster waits for its time-out.
func (s *adsStub) rewarms(r *discoveryv3.DiscoveryRequest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return r.ErrorDetail == nil && r.VersionInfo != strconv.Itoa(s.version)
}

func (s *adsStub) answer(typeURL string, names []string) *discoveryv3.DiscoveryResponse {
	s.mu.Lock()
	defer s.mu.Unlock()
	version := strconv.Itoa(s.version)
	out := &discoveryv3.DiscoveryResponse{TypeUrl: typeURL, VersionInfo: version, Nonce: version}
	for name, r := range s.resources[typeURL] {
		if len(names) == 0 || slices.Contains(names, name) {
			out.Resources = append(out.Resources, r)
		}
	}
	return out
}

func (s *adsStub) problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rejected)
}

func (s *adsStub) allAcked(typeURL string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acked[typeURL] == s.version
}

func (s *adsStub) wants(typeURL, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[typeURL][name]
}
