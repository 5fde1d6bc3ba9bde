package simulate

import (
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// Given is how the world around a model is at a time.
type Given struct {
	Registry Registry
	Nodes    Nodes
	Traffic  Traffic
	Checks   Checks
	Retire   Retire
	// Others is why other models hold up a switch that waits for its turn; empty when
	// they do not.
	Others string
}

// Registry is what the registry knows of a model.
type Registry struct {
	Blue, Green Side
	// Problem is why the registry is not trusted; then its last good answer stands.
	Problem string
}

// Of is the side of c.
func (r *Registry) Of(c policy.Color) *Side {
	if c == policy.Blue {
		return &r.Blue
	}
	return &r.Green
}

// Side is the instances of one color.
type Side struct {
	Ready, Unready int
	Version        string
}

// Nodes is the fleets. The nodes are named FLEET-1, FLEET-2, … in turn.
type Nodes struct {
	Count int
	// Ack is how long a node takes to ACK what it is sent, and to warm a cluster.
	Ack time.Duration
	// Silent of them do not answer, and Away are not connected: the last ones.
	Silent, Away int
	// Lease is how long a node that is away is believed to keep its routing.
	Lease time.Duration
	// Behind is how many have not ACKed the newest endpoints.
	Behind int
}

// Traffic is users' requests.
type Traffic struct {
	Rate float64 // requests a second, of both colors together
	// Unreported: the fleets tell nothing of them.
	Unreported bool
	// Seed, if it is not 0, has them drawn by chance; otherwise they are typical.
	Seed        uint64
	Blue, Green Behaviour
}

// Of is how c behaves.
func (t *Traffic) Of(c policy.Color) *Behaviour {
	if c == policy.Blue {
		return &t.Blue
	}
	return &t.Green
}

// Behaviour is how a color answers.
type Behaviour struct {
	Errors       float64 // share of the requests, 0 to 1, that are the server's fault
	ClientErrors float64 // and those that are the client's
	Latency      Latency
}

// Checks is what checks come to.
type Checks struct {
	All Check
	By  map[string]Check // by name; All for those that are not here
}

// Check is what one check comes to. A check of endpoints without a result counts
// what the registry says, as the real one does; every other one passes.
type Check struct {
	Result  rollout.Result
	Takes   time.Duration
	Summary string
}

// Retire is whoever is asked to let instances go.
type Retire struct {
	// Problem is why it is refused; empty when it is done.
	Problem string
	Takes   time.Duration
	// Replaced is how long after a batch has gone as many new instances are ready in
	// its place, or how long those that are asked for back take.
	Replaced time.Duration
}

// Typical is a world in which all is well.
func Typical() Given {
	answer := Behaviour{Latency: Latency{P50: 20 * time.Millisecond, P99: 80 * time.Millisecond}}
	return Given{
		Registry: Registry{Blue: Side{Ready: 2, Version: "v1"}, Green: Side{Ready: 2, Version: "v2"}},
		Nodes:    Nodes{Count: 3, Ack: 200 * time.Millisecond, Lease: time.Hour},
		Traffic:  Traffic{Blue: answer, Green: answer},
		Checks:   Checks{All: Check{Takes: 2 * time.Second}},
		Retire:   Retire{Takes: time.Second, Replaced: time.Minute},
	}
}
