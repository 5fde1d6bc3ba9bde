package xds

import (
	clusterservice "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	endpointservice "github.com/envoyproxy/go-control-plane/envoy/service/endpoint/v3"
	listenerservice "github.com/envoyproxy/go-control-plane/envoy/service/listener/v3"
	routeservice "github.com/envoyproxy/go-control-plane/envoy/service/route/v3"
	"google.golang.org/grpc"
)

type (
	sotwStream  = grpc.BidiStreamingServer[discoveryv3.DiscoveryRequest, discoveryv3.DiscoveryResponse]
	deltaStream = grpc.BidiStreamingServer[discoveryv3.DeltaDiscoveryRequest, discoveryv3.DeltaDiscoveryResponse]
)

// Register adds the aggregated and the four single discovery services to a gRPC
// server that was built with ServerOptions.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(r, aggregated{s: s})
	clusterservice.RegisterClusterDiscoveryServiceServer(r, clusters{s: s})
	endpointservice.RegisterEndpointDiscoveryServiceServer(r, endpoints{s: s})
	listenerservice.RegisterListenerDiscoveryServiceServer(r, listeners{s: s})
	routeservice.RegisterRouteDiscoveryServiceServer(r, routes{s: s})
}

type aggregated struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
	s *Server
}

func (a aggregated) StreamAggregatedResources(st sotwStream) error {
	return a.s.serve(st, false, true, 0)
}

func (a aggregated) DeltaAggregatedResources(st deltaStream) error {
	return a.s.serve(st, true, true, 0)
}

type clusters struct {
	clusterservice.UnimplementedClusterDiscoveryServiceServer
	s *Server
}

func (c clusters) StreamClusters(st sotwStream) error { return c.s.serve(st, false, false, cluster) }
func (c clusters) DeltaClusters(st deltaStream) error { return c.s.serve(st, true, false, cluster) }

type endpoints struct {
	endpointservice.UnimplementedEndpointDiscoveryServiceServer
	s *Server
}

func (e endpoints) StreamEndpoints(st sotwStream) error { return e.s.serve(st, false, false, endpoint) }
func (e endpoints) DeltaEndpoints(st deltaStream) error { return e.s.serve(st, true, false, endpoint) }

type listeners struct {
	listenerservice.UnimplementedListenerDiscoveryServiceServer
	s *Server
}

func (l listeners) StreamListeners(st sotwStream) error { return l.s.serve(st, false, false, listener) }
func (l listeners) DeltaListeners(st deltaStream) error { return l.s.serve(st, true, false, listener) }

type routes struct {
	routeservice.UnimplementedRouteDiscoveryServiceServer
	s *Server
}

func (r routes) StreamRoutes(st sotwStream) error { return r.s.serve(st, false, false, route) }
func (r routes) DeltaRoutes(st deltaStream) error { return r.s.serve(st, true, false, route) }
