package resource

import (
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// virtualHostsField is the number of RouteConfiguration.virtual_hosts.
const virtualHostsField protowire.Number = 2

// RouteConfig is a fleet's route configuration.
func RouteConfig(name string, vh []*routev3.VirtualHost) *routev3.RouteConfiguration {
	return &routev3.RouteConfiguration{
		Name:         name,
		VirtualHosts: vh,
		// One model whose cluster is not there yet must not get the routes of all
		// others rejected. That weight never moves to an unknown cluster is
		// ensured before, by waiting for every node's ACK of it.
		ValidateClusters: wrapperspb.Bool(false),
		// Clients put the port into the authority unless it is the scheme's own.
		IgnorePortInHostMatching: true,
	}
}

// RouteConfigBytes is the bytes of the route configuration whose virtual hosts
// are given as bytes, in that order. Protobuf lets the elements of a repeated
// field be appended, so nothing is marshalled that has not changed.
func RouteConfigBytes(name string, hosts [][]byte) []byte {
	head, err := Marshal(RouteConfig(name, nil))
	if err != nil {
		return nil // name is not UTF-8; see pack
	}
	size := len(head)
	for _, h := range hosts {
		size += protowire.SizeTag(virtualHostsField) + protowire.SizeBytes(len(h))
	}
	out := append(make([]byte, 0, size), head...)
	for _, h := range hosts {
		out = protowire.AppendTag(out, virtualHostsField, protowire.BytesType)
		out = protowire.AppendBytes(out, h)
	}
	return out
}
