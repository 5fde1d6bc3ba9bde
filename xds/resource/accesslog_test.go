package resource_test

import (
	"regexp"
	"testing"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"

	"greenlight/policy"
	"greenlight/xds/resource"
)

// TestWhatIsReportedAsACopy: Envoy puts -shadow behind a copy's host, and before its
// port. A host that has it somewhere else is a user's.
func TestWhatIsReportedAsACopy(t *testing.T) {
	l := resource.Listener(&policy.Fleet{
		Name: "edge", Routes: "edge", Listener: &policy.Listener{Port: 8080}, Telemetry: &policy.Telemetry{Sample: policy.Full, Every: time.Second},
	})
	copies := regexp.MustCompile("^(?:" + authorityFilter(t, l) + ")$") // Envoy matches the whole value
	for host, is := range map[string]bool{
		"fraud.example-shadow": true, "fraud-shadow:8080": true, "*-shadow": true,
		"fraud.example": false, "fraud-shadow.example": false, "fraud-shadows:80": false, "fraud-shadow:8080/x": false,
	} {
		if copies.MatchString(host) != is {
			t.Errorf("%s: a copy's is %v, expected %v", host, !is, is)
		}
	}
}

// authorityFilter is the expression of the only filter on the host in l.
func authorityFilter(t *testing.T, l proto.Message) string {
	t.Helper()
	found := ""
	err := protorange.Range(l.ProtoReflect(), func(p protopath.Values) error {
		m, ok := p.Index(-1).Value.Interface().(protoreflect.Message)
		if !ok {
			return nil
		}
		if f, ok := m.Interface().(*routev3.HeaderMatcher); ok && f.Name == ":authority" {
			found = f.GetStringMatch().GetSafeRegex().GetRegex()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == "" {
		t.Fatal("no filter on the host")
	}
	return found
}
