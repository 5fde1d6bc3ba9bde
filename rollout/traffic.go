package rollout

import (
	"time"

	"greenlight/policy"
	"greenlight/rollout/judge"
)

// ByColor is something of each color.
type ByColor[T any] struct {
	Blue  T `json:"blue"`
	Green T `json:"green"`
}

// Of is that of c.
func (b ByColor[T]) Of(c policy.Color) T {
	if c == policy.Blue {
		return b.Blue
	}
	return b.Green
}

// At is where that of c is kept.
func (b *ByColor[T]) At(c policy.Color) *T {
	if c == policy.Blue {
		return &b.Blue
	}
	return &b.Green
}

// Tally adds up requests that were reported. Where only a sample is reported,
// Requests and what follows count the sample, and Scaled estimates all.
type Tally struct {
	Requests int     `json:"requests"`
	Scaled   float64 `json:"scaled"`
	// Classes counts by status class: 0 is no answer, 1 to 5 are 1xx to 5xx.
	Classes [6]int `json:"classes"`
	// GRPC counts by gRPC status, of gRPC requests alone.
	GRPC map[uint32]int `json:"grpc,omitempty"`
	// Flags counts by Envoy's short response flags: "UF", "UT", "DC".
	Flags map[string]int `json:"flags,omitempty"`
	// Errors are the server's fault: 5xx, no answer, and of gRPC statuses UNKNOWN,
	// DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE and DATA_LOSS.
	Errors int `json:"errors"`
	// Rejected are the client's fault: 4xx and all other gRPC statuses but OK.
	Rejected int `json:"rejected"`
	// Gone are those whose client left before there was an answer; they are no errors.
	Gone    int          `json:"gone"`
	Latency judge.Sketch `json:"latency"` // seconds
}

// Plus is both tallies in one. GRPC and Flags are not added up: nobody judges by them.
func (t Tally) Plus(o Tally) Tally {
	switch {
	case t.Requests == 0:
		return o
	case o.Requests == 0:
		return t
	}
	out := Tally{
		Requests: t.Requests + o.Requests, Scaled: t.Scaled + o.Scaled, Errors: t.Errors + o.Errors,
		Rejected: t.Rejected + o.Rejected, Gone: t.Gone + o.Gone, Latency: judge.Merge(t.Latency, o.Latency),
	}
	for i := range out.Classes {
		out.Classes[i] = t.Classes[i] + o.Classes[i]
	}
	return out
}

// Window is what the fleets reported of one model in one interval of the
// server's clock. Nobody changes one after it was closed.
type Window struct {
	Begin time.Time `json:"begin"`
	End   time.Time `json:"end"`
	// Users are users' requests, by the weights under which their Envoy routed them.
	Users []Routed `json:"users,omitempty"`
	// Shadow are mirrored requests, and Preview those that chose their color.
	Shadow  ByColor[Tally] `json:"shadow,omitzero"`
	Preview ByColor[Tally] `json:"preview,omitzero"`
	// Nodes are the nodes that reported users' requests, sorted by fleet and node.
	Nodes []NodeWindow `json:"nodes,omitempty"`
	// Endpoints are users' requests by instance, sorted by color and address.
	Endpoints []EndpointWindow `json:"endpoints,omitempty"`
	// Late and Doubled count what was left out: reports of requests that ended more
	// than a minute ago, and reports that came a second time.
	Late    int `json:"late,omitempty"`
	Doubled int `json:"doubled,omitempty"`
}

// Routed is users' requests that were routed under one pair of weights.
type Routed struct {
	// Weights are those of the route; both 0 when the report does not tell, as where
	// a fleet keeps its own listeners.
	Weights Weights        `json:"weights"`
	Colors  ByColor[Tally] `json:"colors"`
}

// NodeWindow is how many users' requests one node sent to each color under one
// pair of weights.
type NodeWindow struct {
	Fleet    string       `json:"fleet"`
	Node     string       `json:"node"`
	Weights  Weights      `json:"weights"`
	Requests ByColor[int] `json:"requests"`
}

// EndpointWindow is what one instance answered.
type EndpointWindow struct {
	Color    policy.Color `json:"color"`
	Address  string       `json:"address"` // host:port
	Requests int          `json:"requests"`
	Errors   int          `json:"errors"`
}
