package resource

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
)

// grpcBootstrap is the file format that all gRPC languages share (gRFC A27).
type grpcBootstrap struct {
	Servers []grpcServer `json:"xds_servers"`
	Node    grpcNode     `json:"node"`
}

type grpcServer struct {
	URI         string      `json:"server_uri"`
	Credentials []grpcCreds `json:"channel_creds"`
	Features    []string    `json:"server_features"`
}

type grpcCreds struct {
	Type string `json:"type"`
}

type grpcNode struct {
	ID      string `json:"id"`
	Cluster string `json:"cluster"`
}

// GRPCBootstrap is the bootstrap of proxyless gRPC clients: what
// GRPC_XDS_BOOTSTRAP names, or GRPC_XDS_BOOTSTRAP_CONFIG holds.
func GRPCBootstrap(o Options) ([]byte, error) {
	if _, err := serverAddress(o.Server); err != nil {
		return nil, fmt.Errorf("read xDS server address: %w", err)
	}
	if o.Node == "" {
		return nil, errors.New("a gRPC client needs a node id: acknowledgements are counted per node")
	}
	b := grpcBootstrap{
		Servers: []grpcServer{{
			URI:         cmp.Or(o.Server, defaultServer),
			Credentials: []grpcCreds{{Type: "insecure"}},
			// A resource that is missing from an answer is kept, as Envoys keep
			// routes: a client fails no call because the server forgot something.
			Features: []string{"xds_v3", "ignore_resource_deletion"},
		}},
		Node: grpcNode{ID: o.Node, Cluster: o.Fleet},
	}
	out, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return append(out, '\n'), nil
}
