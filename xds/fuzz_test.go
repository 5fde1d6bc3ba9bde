package xds

import (
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
)

// FuzzStream feeds one stream requests that make no sense, while routing
// changes under it. Every three bytes are one step: what, which type, and which
// names and nonce.
func FuzzStream(f *testing.F) {
	f.Add(false, []byte{0, 0, 0, 1, 0, 1, 0, 1, 3, 0, 3, 2, 9, 0, 0})
	f.Add(true, []byte{0, 0, 0, 1, 0, 1, 0, 1, 3, 2, 1, 1, 8, 0, 0, 7, 1, 1})
	f.Fuzz(func(t *testing.T, delta bool, steps []byte) {
		s, err := New(Options{Log: quiet})
		if err != nil {
			t.Fatal(err)
		}
		s.Endpoints("fraud", eps(1, 1), eps(2, 1))
		s.Route(routing(fraud(), 1, allBlue))
		s.Open()
		st := &stream{server: s, aggregated: true, delta: delta, awake: make(chan struct{}, 1), unknown: map[string]struct{}{}}
		for i := 0; i+2 < len(steps) && i < 3*200; i += 3 {
			change(s, steps[i], uint64(i+2))
			if request(st, steps[i], steps[i+1], steps[i+2]) != nil {
				break
			}
			for n := 0; st.node != nil && st.next() != nil; n++ {
				if n > int(kinds) {
					t.Fatal("the stream answers without end")
				}
			}
		}
		_ = s.Report("fraud")
		_ = s.Fleets()
		s.leave(st)
		if r := s.Report("fraud"); r.Connected != 0 {
			t.Fatalf("the node left and still counts: %+v", r)
		}
		for _, f := range s.fleets {
			if n := f.audience.behind.Load(); n != 0 {
				t.Fatalf("the audience counts %d behind", n)
			}
		}
	})
}

// change does to the routing what a step says.
func change(s *Server, what byte, generation uint64) {
	switch what % 10 {
	case 7:
		s.Withdraw("fraud")
		s.due()
	case 8:
		s.Endpoints("fraud", eps(int(generation%3), 1), nil)
	case 9:
		s.Route(routing(fraud(), generation, allGreen))
	}
}

var fuzzNames = [][]string{nil, {"*"}, {"fraud/blue", "fraud/green"}, {"edge"}, {"fraud", "nothing"}, {""}, {"edge", "edge"}, {"fraud/routes"}}

// request sends one request; its nonce may be the right one, an old one or none.
func request(st *stream, what, which, detail byte) error {
	url := append(typeURLs[:], "", "nonsense")[int(which)%(int(kinds)+2)]
	names := fuzzNames[int(detail)%len(fuzzNames)]
	nonce := []string{"", "1", "no nonce", ""}[what%4]
	if k, ok := kindOf(url); ok && st.watches[k] != nil && st.watches[k].flight != nil && what%4 == 3 {
		nonce = st.watches[k].flight.nonce
	}
	var no *rpcstatus.Status
	if detail&64 != 0 {
		no = &rpcstatus.Status{Message: "fraud/blue is bad"}
	}
	if st.delta {
		return st.takeDelta(&discoveryv3.DeltaDiscoveryRequest{
			Node: nodeOf("edge", "a"), TypeUrl: url, ResourceNamesSubscribe: names, ResponseNonce: nonce, ErrorDetail: no,
			ResourceNamesUnsubscribe: fuzzNames[int(detail>>3)%len(fuzzNames)],
			InitialResourceVersions:  map[string]string{"fraud/green": "x", "edge": "y"},
		})
	}
	return st.takeSotw(&discoveryv3.DiscoveryRequest{
		Node: nodeOf("edge", "a"), TypeUrl: url, ResourceNames: names, ResponseNonce: nonce, ErrorDetail: no, VersionInfo: nonce,
	})
}
