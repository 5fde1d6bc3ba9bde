package resource_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

var update = flag.Bool("update", false, "rewrite testdata/*.golden.json")

func TestGolden(t *testing.T) {
	grpcModel := variant("ranking", func(r *policy.Route) {
		r.Protocol, r.Prefix, r.Timeout = policy.GRPC, "/inference.GRPCInferenceService", 0
		r.Retries.Attempts, r.Outlier.Off = 0, true
	})
	shared := []resource.Model{
		{Policy: fraud(), Live: policy.Green, Weights: rollout.Split(policy.Blue, 500)},
		blueLive(variant("catchall", func(r *policy.Route) { r.Prefix, r.Preview = "/", "" })),
		{Policy: variant("slow", func(r *policy.Route) { r.Prefix, r.Timeout = "/v2/", 20*time.Minute }), Live: policy.Blue, Weights: rollout.AllOn(policy.Green)},
	}
	restricted := variant("restricted", func(r *policy.Route) {
		r.Preview, r.PreviewCookie, r.PreviewToken = "x-model-color", "color", &policy.Secret{Env: "GREENLIGHT_SECRET_PREVIEW"}
		r.Sticky = policy.Sticky{Cookie: "user", CookieTTL: 30 * 24 * time.Hour}
	})
	mirrored := resource.Model{
		Policy: restricted, Live: policy.Blue, Weights: rollout.Split(policy.Green, 500),
		Mirror: rollout.Mirror{To: policy.Green, Percent: 1250}, Token: "the-token",
	}
	closed := mirrored
	closed.Token = ""
	for name, m := range map[string]proto.Message{
		"cluster-http1":    resource.Cluster(fraud(), policy.Blue),
		"cluster-grpc":     resource.Cluster(grpcModel, policy.Green),
		"assignment-empty": resource.Assignment("fraud", policy.Blue, nil),
		"assignment": resource.Assignment("fraud", policy.Green, []rollout.Endpoint{
			{ID: "c", Address: "10.0.0.2", Port: 8080, Weight: 3},
			{ID: "b", Address: "10.0.0.1", Port: 8081, Weight: 0},
			{ID: "a", Address: "10.0.0.1", Port: 8080, Weight: 1},
			{ID: "a-again", Address: "10.0.0.1", Port: 8080, Weight: 2},
		}),
		"routes-shared-host": resource.RouteConfig("edge", virtualHosts(shared)),
		"routes-untimed":     resource.RouteConfig("edge", virtualHosts([]resource.Model{blueLive(grpcModel)})),
		"routes-users":       resource.RouteConfig("edge", virtualHosts([]resource.Model{mirrored})),
		"routes-closed":      resource.RouteConfig("edge", virtualHosts([]resource.Model{closed})),
		"grpc-routes-users":  resource.ModelRouteConfig(mirrored),
		"routes-empty":       resource.RouteConfig("edge", nil),
		"listener":           resource.Listener(edge(10000)),
		"listener-all-ipv6": resource.Listener(&policy.Fleet{Name: "edge", Routes: "edge",
			Listener: &policy.Listener{Name: "greenlight", Address: "::", Port: 80}}),
		"grpc-listener":       resource.APIListener("fraud"),
		"grpc-routes":         resource.ModelRouteConfig(shared[0]),
		"grpc-routes-untimed": resource.ModelRouteConfig(blueLive(grpcModel)),
	} {
		t.Run(name, func(t *testing.T) {
			checkExtensions(t, m)
			compare(t, name, stable(t, m))
		})
	}
}

func TestGoldenBootstrap(t *testing.T) {
	options := resource.Options{Server: "greenlight.internal:18000", Node: "edge-1", Fleet: "edge", Admin: "127.0.0.1:9901"}
	delta := options
	delta.Delta = true
	for name, build := range map[string]func() ([]byte, error){
		"bootstrap":       func() ([]byte, error) { return resource.Bootstrap(options) },
		"bootstrap-delta": func() ([]byte, error) { return resource.Bootstrap(delta) },
		"bootstrap-least": func() ([]byte, error) { return resource.Bootstrap(resource.Options{}) },
		"bootstrap-grpc":  func() ([]byte, error) { return resource.GRPCBootstrap(options) },
	} {
		t.Run(name, func(t *testing.T) {
			b, err := build()
			if err != nil {
				t.Fatal(err)
			}
			compare(t, name, b)
		})
	}
}

func compare(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden.json")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (rewrite with -update); got:\n%s", path, got)
	}
}

// stable lays out protojson, whose white space varies on purpose.
func stable(t *testing.T, m proto.Message) []byte {
	t.Helper()
	raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var compact, out bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		t.Fatal(err)
	}
	if err := json.Indent(&out, compact.Bytes(), "", "  "); err != nil {
		t.Fatal(err)
	}
	out.WriteByte('\n')
	return out.Bytes()
}

type tb interface{ Fatal(...any) }

func marshal(t tb, m proto.Message) []byte {
	b, err := resource.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// checkExtensions validates m and every message packed in it, at any depth.
func checkExtensions(t *testing.T, m proto.Message) {
	t.Helper()
	if v, ok := m.(validated); ok {
		if err := v.ValidateAll(); err != nil {
			t.Error(err)
		}
	}
	eachAny(m.ProtoReflect(), func(a *anypb.Any) {
		inner, err := a.UnmarshalNew()
		if err != nil {
			t.Fatal(fmt.Errorf("unpack %s: %w", a.TypeUrl, err))
		}
		checkExtensions(t, inner)
	})
}

func eachAny(m protoreflect.Message, visit func(*anypb.Any)) {
	if a, ok := m.Interface().(*anypb.Any); ok {
		visit(a)
		return
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap() && f.MapValue().Message() != nil:
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				eachAny(v.Message(), visit)
				return true
			})
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				eachAny(v.List().Get(i).Message(), visit)
			}
		case !f.IsMap() && !f.IsList() && f.Message() != nil:
			eachAny(v.Message(), visit)
		}
		return true
	})
}
