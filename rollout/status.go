package rollout

import (
	"slices"
	"time"

	"greenlight/policy"
)

// Status is what an operator sees of a model: its journaled state and what
// stands around it. Nobody changes one after it was handed out.
type Status struct {
	State  State
	Policy *policy.Model
	// PolicyProblem is empty while the policy in force is the one in the file.
	// Otherwise it says what is wrong with the file (or with what the fleets
	// made of it) and PolicySince when the last good policy began to stand in.
	PolicyProblem string
	PolicySince   time.Time
	Endpoints     EndpointSet
	Report        Report
	// Traffic is what was lately heard of users' requests, and Return whether the
	// old color could take all of them now.
	Traffic Traffic
	Return  Readiness
	// Silent is the nodes that carried users' requests and report none any more.
	Silent []NodeRef
	// Drift is how what is live differs from what the policy wants: State.Drift.
	Drift string
	// Judgement is what users' requests say of the running switch so far: State.SoFar.
	Judgement string
	// Checks is the progress of the checks that run now, in policy order.
	Checks []CheckProgress
	// Revision grows with every Status of a model handed out by one process.
	Revision uint64
}

// CheckProgress says how far a running check is.
type CheckProgress struct {
	Check string
	Done  int
	Total int // 0 while unknown
	// Result is empty until the check is done.
	Result Result
}

// FleetView is one fleet as an operator sees it.
type FleetView struct {
	Name   string
	Routes string // name of its route configuration
	Nodes  []NodeView
}

// NodeView is one node: connected, or stale until its lease ends.
type NodeView struct {
	Node      string
	Agent     string // "envoy 1.40.0", "gRPC Go 1.85.0"
	Connected bool
	Since     time.Time // of the connection, or of its loss
	Until     time.Time // end of the lease; zero while connected
	Delta     bool
	Types     []TypeView
}

// TypeView is what one node holds of one resource type.
type TypeView struct {
	Type    string // short: "listener", "route", "cluster", "endpoint"
	Wanted  string // version that the node should have; delta: a digest over its resources
	Acked   string // version that it ACKed last
	AckedAt time.Time
	// Rejected is the standing NACK's reason; empty when there is none.
	Rejected   string
	RejectedAt time.Time
}

// NodeRecord is what is kept of a node over a restart.
type NodeRecord struct {
	Fleet    string    `json:"fleet"`
	Node     string    `json:"node"`
	Agent    string    `json:"agent,omitempty"`
	LastSeen time.Time `json:"lastSeen"`
	// Twins is how many others go by the same name.
	Twins int `json:"twins,omitempty"`
}

func sortedUnique(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}

// CheckJob is one set of checks to run against one color.
type CheckJob struct {
	Model  string
	Checks []policy.Check
	// Target is the color that is judged, and Live the one that users' requests
	// belong to: the same one in the bake. What Target is compared with is
	// always Target.Other(). Figures and measures call them "idle" and "live"
	// for what they were when the switch began.
	Target    policy.Color
	Live      policy.Color
	Endpoints EndpointSet
	// Host, if not empty, says that the endpoints are entries of the fleets, which
	// are asked for this host as users ask; an answer of another color than Target
	// is wrong.
	Host string
	// Predict says how predictions are asked for.
	Predict policy.Predict
	// Protocol is what the endpoints speak; empty means HTTP/1.1.
	Protocol policy.Protocol
	// RequestTimeout bounds each request to an endpoint; 0 means none but that
	// of the whole check.
	RequestTimeout time.Duration
	// Earlier is the newest verdicts of the switch so far: expressions may refer
	// to their figures, webhooks are told them.
	Earlier []Verdict
	// For says on whose behalf the checks run; webhooks are told.
	For CheckFor
	// FailFast cancels what still runs when one check has failed.
	FailFast bool
	// Progress is called, never concurrently, when a check got further.
	Progress func(CheckProgress)
}

// CheckFor says what a set of checks is run for.
type CheckFor struct {
	Switch  string  `json:"switch,omitempty"` // id; empty without a switch
	Stage   string  `json:"stage"`            // as Stage.Name
	Weights Weights `json:"weights"`
	Actor   string  `json:"actor,omitempty"`
	Reason  string  `json:"reason,omitempty"`
	Target  Target  `json:"target"`
}
