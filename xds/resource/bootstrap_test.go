package resource_test

import (
	"encoding/json"
	"strings"
	"testing"

	"google.golang.org/grpc/xds"

	"greenlight/xds/resource"
)

func TestBootstrapNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name    string
		options resource.Options
		want    string
	}{
		{"no port", resource.Options{Server: "greenlight.internal"}, `read xDS server address: "greenlight.internal" is not host:port: address greenlight.internal: missing port in address`},
		{"port 0", resource.Options{Server: "greenlight.internal:0"}, `read xDS server address: "greenlight.internal:0" must name a host and a port from 1 to 65535`},
		{"port too high", resource.Options{Server: "greenlight.internal:65536"}, `read xDS server address: "greenlight.internal:65536" must name a host and a port from 1 to 65535`},
		{"port name", resource.Options{Server: "greenlight.internal:http"}, `read xDS server address: "greenlight.internal:http" must name a host and a port from 1 to 65535`},
		{"no host", resource.Options{Server: ":18000"}, `read xDS server address: ":18000" must name a host and a port from 1 to 65535`},
		{"bad admin", resource.Options{Admin: ":9901"}, `read admin address: ":9901" must name a host and a port from 0 to 65535`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := resource.Bootstrap(c.options); err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestGRPCBootstrapNamesWhatIsWrong(t *testing.T) {
	if _, err := resource.GRPCBootstrap(resource.Options{Fleet: "apps"}); err == nil || !strings.Contains(err.Error(), "node id") {
		t.Errorf("got %v, want an error that asks for a node id", err)
	}
	if _, err := resource.GRPCBootstrap(resource.Options{Node: "a", Server: "x"}); err == nil || !strings.Contains(err.Error(), `"x" is not host:port`) {
		t.Errorf("got %v, want an error that names the address", err)
	}
}

func TestGRPCBootstrapIsRead(t *testing.T) {
	b, err := resource.GRPCBootstrap(resource.Options{Node: "app-1", Fleet: "apps"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := xds.NewXDSResolverWithConfigForTesting(b); err != nil {
		t.Errorf("grpc-go refuses it: %v", err)
	}
}

// FuzzBootstrap: any options give valid JSON or an error, never both or neither.
func FuzzBootstrap(f *testing.F) {
	f.Add("127.0.0.1:18000", "node", "edge", "127.0.0.1:0")
	f.Add("[::1]:1", "", "", "")
	f.Add("\xff:1", "\x00", "\xff", "[:1")
	f.Fuzz(func(t *testing.T, server, node, fleet, admin string) {
		o := resource.Options{Server: server, Node: node, Fleet: fleet, Admin: admin}
		for _, build := range []func(resource.Options) ([]byte, error){resource.Bootstrap, resource.GRPCBootstrap} {
			b, err := build(o)
			if (err == nil) != json.Valid(b) {
				t.Errorf("%+v: %v, %s", o, err, b)
			}
		}
	})
}
