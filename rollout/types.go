// Package rollout decides. Step takes a model's state and one event and answers
// with the next state and the work to be done; it does no I/O, reads no clock
// and starts nothing, so that every rule of a switch can be tested as a value.
package rollout

import (
	"time"

	"greenlight/policy"
)

// Phase says where a model stands. It is the one field that decides.
type Phase string

// The phases. A model without a running switch is Idle or Retiring.
const (
	Idle        Phase = "idle"         // no switch is running
	Waiting     Phase = "waiting"      // waiting for its turn: a window, other models, a place in the queue
	Preparing   Phase = "preparing"    // waiting for the target to be complete, of one version, and warm on every node
	Validating  Phase = "validating"   // checks run against the target; no user meets it
	Shadowing   Phase = "shadowing"    // users' requests are mirrored to the target; its answers are dropped
	Approving   Phase = "approving"    // waiting for persons to approve that users meet the target
	Confirming  Phase = "confirming"   // a step's weight is published; waiting for every node's ACK
	Holding     Phase = "holding"      // a step's weight is confirmed and watched until its hold ends
	Baking      Phase = "baking"       // full weight, old color warm
	Paused      Phase = "paused"       // an operator stopped the clock; weights stand
	Held        Phase = "held"         // Greenlight stopped and says so: a person has to decide
	RollingBack Phase = "rolling-back" // all weight back on the old color is published; waiting for ACKs
	Retiring    Phase = "retiring"     // the switch succeeded; the old color waits to be let go
	Drilling    Phase = "drilling"     // all weight is on the old color for a moment, to show that going back works
)

// Running reports whether a switch in phase p still needs time or a person, or
// whether its way back is being shown.
func (p Phase) Running() bool { return p != Idle && p != Retiring }

// Outcome is how a switch ended; empty while it runs.
type Outcome string

// The outcomes.
const (
	Succeeded  Outcome = "succeeded"
	Refused    Outcome = "refused"     // ended before any user met the target
	RolledBack Outcome = "rolled-back" // users had met the target; all weight is back
	Aborted    Outcome = "aborted"     // an operator ended it before any user met the target
)

// Weights is the share of users' requests that each color gets; the two add up to policy.Full.
type Weights struct {
	Blue  policy.Weight `json:"blue"`
	Green policy.Weight `json:"green"`
}

// AllOn gives c everything.
func AllOn(c policy.Color) Weights { return Split(c, policy.Full) }

// Split gives w to c and the rest to the other color.
func Split(c policy.Color, w policy.Weight) Weights {
	if c == policy.Blue {
		return Weights{Blue: w, Green: policy.Full - w}
	}
	return Weights{Blue: policy.Full - w, Green: w}
}

// Of is the share of c.
func (w Weights) Of(c policy.Color) policy.Weight {
	if c == policy.Blue {
		return w.Blue
	}
	return w.Green
}

// Endpoint is one instance of a model that the registry calls ready.
type Endpoint struct {
	ID      string `json:"id"`      // the registry's instance id, unique within the model
	Address string `json:"address"` // IP address
	Port    int    `json:"port"`
	Weight  uint32 `json:"weight"` // 1 or more, from the registry
	Version string `json:"version,omitempty"`
}

// EndpointSet is what the registry says of a model, whole: never a difference.
type EndpointSet struct {
	// Blue and Green are the ready endpoints, sorted by ID.
	Blue  []Endpoint `json:"blue"`
	Green []Endpoint `json:"green"`
	// Unready counts instances that are registered but not ready, per color.
	Unready map[policy.Color]int `json:"unready,omitempty"`
	// Problem is empty while the registry is trusted. Otherwise it says why the
	// last good set stands ("consul: connection refused") and Since when.
	Problem string    `json:"problem,omitempty"`
	Since   time.Time `json:"since,omitzero"`
}

// Of is the ready endpoints of c.
func (s EndpointSet) Of(c policy.Color) []Endpoint {
	if c == policy.Blue {
		return s.Blue
	}
	return s.Green
}

// Versions lists the different versions that c's ready endpoints serve, sorted.
func (s EndpointSet) Versions(c policy.Color) []string {
	var out []string
	for _, e := range s.Of(c) {
		out = append(out, e.Version)
	}
	return sortedUnique(out)
}

// Routing is what the fleets should do for one model. It is whole: the last one wins.
type Routing struct {
	// Generation grows with every change of this model's routing; it is
	// journaled before it is published.
	Generation uint64        `json:"generation"`
	Policy     *policy.Model `json:"-"`
	Live       policy.Color  `json:"live"`
	Weights    Weights       `json:"weights"`
	Mirror     Mirror        `json:"mirror,omitzero"`
}

// Mirror sends copies of users' requests to a color that does not answer them.
type Mirror struct {
	To      policy.Color  `json:"to,omitempty"`
	Percent policy.Weight `json:"percent"` // of all users' requests; 0 is off
}

// NodeRef names one node of a fleet.
type NodeRef struct {
	Fleet string `json:"fleet"`
	Node  string `json:"node"`
	// Detail says what is missing, in words: "has not ACKed cluster fraud/green".
	Detail string `json:"detail,omitempty"`
}

// Rejection is a node's standing NACK.
type Rejection struct {
	Fleet  string    `json:"fleet"`
	Node   string    `json:"node"`
	Type   string    `json:"type"` // short: "listener", "route", "cluster", "endpoint"
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// Stale is a node that is not connected, may hold an older routing, and is
// believed to still do so until its lease ends.
type Stale struct {
	Fleet string    `json:"fleet"`
	Node  string    `json:"node"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

// Report is what the fleets say of one model's routing. Counts are exact; the
// lists are cut at ReportList entries.
type Report struct {
	// Generation is the routing that Acked, Pending and Rejected speak of: the
	// last one published for the model.
	Generation uint64 `json:"generation"`
	// Settled is false after a start until known nodes had time to come back.
	// Nothing is confirmed before.
	Settled   bool `json:"settled"`
	Connected int  `json:"connected"` // nodes that route the model
	Acked     int  `json:"acked"`     // of those, nodes that run this very generation
	// Envoys counts the connected nodes by fleet, without gRPC clients that have no proxy
	// and report no requests.
	Envoys map[string]int `json:"envoys,omitempty"`

	Pending  []NodeRef   `json:"pending,omitempty"`  // connected, neither ACKed nor rejected
	Rejected []Rejection `json:"rejected,omitempty"` // connected, and NACKed something the model needs
	Stale    []Stale     `json:"stale,omitempty"`

	// Cold counts, per color, the connected nodes that have not warmed the
	// color's cluster; ColdNodes names some.
	Cold      map[policy.Color]int       `json:"cold,omitempty"`
	ColdNodes map[policy.Color][]NodeRef `json:"coldNodes,omitempty"`
	// MaySend counts, per color, the nodes (connected, or stale within their
	// lease) that may still send users' requests there.
	MaySend map[policy.Color]int `json:"maySend,omitempty"`
	// Sending is the connected ones of MaySend.
	Sending map[policy.Color]int `json:"sending,omitempty"`
	// Behind counts, per color, the connected nodes that have not ACKed the newest
	// endpoints of its cluster. That keeps no generation from being confirmed.
	Behind map[policy.Color]int `json:"behind,omitempty"`
	// PreviewClosed says why nobody can choose a color: the token that the policy
	// asks for can't be had. Empty otherwise.
	PreviewClosed string `json:"previewClosed,omitempty"`
	// Entries are where some of the connected nodes take users' requests; of those
	// whose listener Greenlight does not know, none.
	Entries []Entry `json:"entries,omitempty"`
}

// Entry is where a node takes users' requests.
type Entry struct {
	Fleet   string `json:"fleet"`
	Node    string `json:"node,omitempty"` // empty: the fleet as a whole
	Address string `json:"address"`        // host:port
}

// ReportList is how many nodes a Report names in each list.
const ReportList = 20

// Result is the outcome of a check.
type Result string

// The results.
const (
	Pass         Result = "pass"
	Fail         Result = "fail"
	Inconclusive Result = "inconclusive"
)

// Verdict is a check's result with the figures behind it.
type Verdict struct {
	Check   string             `json:"check"` // policy.Check.Name
	Kind    string             `json:"kind"`
	Result  Result             `json:"result"`
	Summary string             `json:"summary"` // one sentence, to be read after the check's name
	Figures map[string]float64 `json:"figures,omitempty"`
	// Measures are the rows of the check's table: what was compared with which
	// rule; at most MaxMeasures.
	Measures []Measure `json:"measures,omitempty"`
	// Evidence is the first failures (at most 10), each with its origin.
	Evidence []Evidence    `json:"evidence,omitempty"`
	Took     time.Duration `json:"took"`
	At       time.Time     `json:"at"`
	// Detail is what a report shows beyond that. It is large: a State never
	// holds one, it is kept beside the journal.
	Detail *Detail `json:"detail,omitempty"`
}

// Evidence is one thing that a check saw.
type Evidence struct {
	Endpoint string `json:"endpoint,omitempty"` // "green 10.0.0.1:8080 (fraud-green-1)"
	Case     string `json:"case,omitempty"`     // "fraud.golden.jsonl:3"
	Expected string `json:"expected,omitempty"`
	Got      string `json:"got,omitempty"`
}

// Transition is one journaled change of phase or weight.
type Transition struct {
	At         time.Time `json:"at"`
	From       Phase     `json:"from"`
	To         Phase     `json:"to"`
	Generation uint64    `json:"generation"`
	Weights    Weights   `json:"weights"`
	Actor      string    `json:"actor,omitempty"` // empty when Greenlight itself
	Reason     string    `json:"reason,omitempty"`
}

// Switch is one attempt to make the idle color live, with its whole story.
type Switch struct {
	ID    string       `json:"id"` // sortable by start time
	Model string       `json:"model"`
	From  policy.Color `json:"from"` // live when it began
	To    policy.Color `json:"to"`
	// FromVersion and ToVersion are what the colors served when it began or,
	// for ToVersion, when it was validated.
	FromVersion string `json:"fromVersion,omitempty"`
	ToVersion   string `json:"toVersion,omitempty"`
	Actor       string `json:"actor"`
	Reason      string `json:"reason,omitempty"`
	Key         string `json:"key,omitempty"` // idempotency key
	// Writers are who asked for it besides Actor: those of the Word of a switch that the
	// policy asked for, else the Author is Command.Proven.
	Writers
	Forced bool `json:"forced,omitempty"`
	// Again: To may serve a version that was taken back before.
	Again bool `json:"again,omitempty"`
	// Now: it waits for no window, no other model and no queue.
	Now bool `json:"now,omitempty"`
	// Approvals are the words of the persons that the policy asks for.
	Approvals []Approved `json:"approvals,omitempty"`
	// Undoes is the id of an earlier switch: this one goes back to what was live
	// before that one, at once and without validation.
	Undoes  string    `json:"undoes,omitempty"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	Outcome Outcome   `json:"outcome,omitempty"`
	// Cause is why it did not succeed, in one sentence with its evidence named.
	Cause       string       `json:"cause,omitempty"`
	Transitions []Transition `json:"transitions"`
	// Validated is when every check of the plan passed, or when Accepted says
	// so; zero for a forced switch.
	Validated time.Time `json:"validated,omitzero"`
	// Accepted is set if a person let the switch go on although checks of its
	// validation were inconclusive.
	Accepted *Acceptance `json:"accepted,omitempty"`
	// Needed is how many ready endpoints the plan asked of To when weight last
	// moved there.
	Needed int `json:"needed,omitempty"`
	// LetGo is when it was first announced that From may be decommissioned: it
	// is safe to go back to no longer.
	LetGo time.Time `json:"letGo,omitzero"`
	// Twice is what keeping a second color took from the switch's start until its
	// old color was let go, or the next switch began.
	Twice Twice `json:"twice,omitzero"`
	// Drills are the times that the way back was shown; the newest maxDrills, oldest first.
	Drills []Drill `json:"drills,omitempty"`
	// Verdicts holds the newest verdict of each check, validation first.
	Verdicts []Verdict `json:"verdicts,omitempty"`
	// Plan is the policy as it was when the switch began; the switch keeps to it.
	Plan policy.Model `json:"plan"`
}

// Acceptance is a person's word that a validation that can't be concluded will do.
type Acceptance struct {
	Actor  string    `json:"actor"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
	Checks []string  `json:"checks"` // the inconclusive ones
}

// State is everything that is known of one model.
type State struct {
	Model string       `json:"model"`
	Live  policy.Color `json:"live,omitempty"` // empty until the first observation
	Phase Phase        `json:"phase"`
	Since time.Time    `json:"since"` // when Phase was entered

	// Generation and Weights are the last published routing.
	Generation uint64  `json:"generation"`
	Weights    Weights `json:"weights"`
	Mirror     Mirror  `json:"mirror,omitzero"`

	// Switch is the running or the last switch; nil when there was none.
	Switch *Switch `json:"switch,omitempty"`
	// StepIndex is the step of Switch.Plan.Shift that is published.
	StepIndex int `json:"stepIndex,omitempty"`
	// Resume is the phase that Paused, Held or Drilling stopped, and Left the time it had left.
	Resume Phase         `json:"resume,omitempty"`
	Left   time.Duration `json:"left,omitempty"`
	// Deadline ends the present phase's wait, NextCheck is when the step's or
	// the bake's checks run again. A time that has come while something else is still missing is
	// cleared: zero means that time is no longer what the phase waits for. The
	// loop sends Tick at WakeAt.
	Deadline  time.Time `json:"deadline,omitzero"`
	NextCheck time.Time `json:"nextCheck,omitzero"`
	// HoldUntil is set while a step, the shadow or the bake is held beyond its time
	// because users' traffic says too little; then judge.otherwise decides.
	HoldUntil time.Time `json:"holdUntil,omitzero"`
	// HeldOn: that time has come.
	HeldOn bool `json:"heldOn,omitempty"`
	// GiveUpAt is set while a step is due but not safe yet: the switch stops then.
	GiveUpAt time.Time `json:"giveUpAt,omitzero"`
	// Back is why all weight should go back while it can't, because the old
	// color is itself unhealthy. It goes back by itself once the old color is
	// well, unless a person promotes first. Only in Held.
	Back string `json:"back,omitempty"`
	// Passed is when the checks of Holding or Baking last all passed since the
	// phase was entered, and Open why their last run can't say so; at most one is set.
	Passed time.Time `json:"passed,omitzero"`
	Open   string    `json:"open,omitempty"`
	// CheckRun is the id of the running set of checks; 0 when none runs.
	CheckRun uint64 `json:"checkRun,omitempty"`
	Runs     uint64 `json:"runs,omitempty"` // ids given so far
	// Queued is where the switch waits for its turn. Opens is also set where a step waits
	// for the calendar.
	Queued Queued `json:"queued,omitzero"`
	// Letting is how far letting go of the old color is. Only in Baking and Retiring.
	Letting Letting `json:"letting,omitzero"`
	// Rolled is how far the old instances of a rolling switch have made room; it
	// stands until the next switch.
	Rolled Rolled `json:"rolled,omitzero"`
	// Walked: known requests were sent through the route at full weight, or are
	// under way as check run WalkRun. Only in Baking and what follows it.
	Walked  bool   `json:"walked,omitempty"`
	WalkRun uint64 `json:"walkRun,omitempty"`
	// Judging is what users' traffic says of the running switch.
	Judging Judging `json:"judging,omitzero"`
	// Carried is the most that each color was seen to carry.
	Carried ByColor[Carried] `json:"carried,omitzero"`
	// Busiest is the most that users were seen to ask for lately.
	Busiest Busiest `json:"busiest,omitzero"`
	// Twice is what keeping a second color took since the model is known.
	Twice Twice `json:"twice,omitzero"`
	// WarmUp is how long the instances of a color took last to get ready.
	WarmUp WarmUp `json:"warmUp,omitzero"`
	// Tried are the versions that were taken back and are not tried again by
	// themselves; the newest maxTried, oldest first.
	Tried []Tried `json:"tried,omitempty"`
	// Uses are the policies that generations were published under; the newest maxUses,
	// oldest first.
	Uses []PolicyUse `json:"uses,omitempty"`
	// Word is what the policy wants to be live, and Parted why it is not; zero where
	// the policy does not decide that.
	Word   Word   `json:"word,omitzero"`
	Parted Parted `json:"parted,omitzero"`
	// Unsure is what was heard before a changed policy whose word is another, as long as
	// a node may still reject it.
	Unsure *Heard `json:"unsure,omitempty"`
	// PolicyGeneration is the generation that a policy change made, until every
	// node has confirmed it; 0 when none is open.
	PolicyGeneration uint64 `json:"policyGeneration,omitempty"`
	// PolicyAt is when that change was published: what a node rejected before is
	// not its fault.
	PolicyAt time.Time `json:"policyAt,omitzero"`
	// Reverting: RevertPolicy was asked for, and the policy before has not come yet.
	Reverting bool `json:"reverting,omitempty"`
	// Problem is what a person should know now, loudly; empty when all is well.
	Problem string `json:"problem,omitempty"`

	Facts Facts `json:"-"`
}

// Letting is how far letting go of the old color is.
type Letting struct {
	// Quiet is since when no node may send users' requests to the old color.
	Quiet time.Time `json:"quiet,omitzero"`
	// Asked is when LetGo was asked for; zero when no answer is awaited.
	Asked time.Time `json:"asked,omitzero"`
	// Tries counts the refusals of who was asked, and Problem is the last one.
	Tries   int    `json:"tries,omitempty"`
	Problem string `json:"problem,omitempty"`
	// Until ends the wait for those who have to approve it; zero without one.
	Until time.Time `json:"until,omitzero"`
}

// Facts is what was last heard from outside. It is not journaled: after a
// restart nothing is known until it is heard again.
type Facts struct {
	Endpoints      EndpointSet
	EndpointsKnown bool
	// Resized is when the number of a color's ready endpoints last changed.
	Resized ByColor[time.Time]
	// Rediscovering is set until the registry has given its first trusted answer
	// to a changed discovery; an older one that stands in for it is not known.
	Rediscovering bool
	Report        Report
	ReportKnown   bool
	Traffic       Traffic
	Turn          Turn
}
