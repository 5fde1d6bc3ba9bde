package rollout

import (
	"greenlight/policy"
)

// Event is something that happened to a model. It is one of the types below.
type Event interface{ event() }

type (
	// Recovered is the first event after a start with a journaled state.
	Recovered struct{}
	// Observed carries a whole answer of the registry.
	Observed struct{ Endpoints EndpointSet }
	// Rediscovering says that the registry is asked for other instances from now
	// on: what it said before speaks of instances that the policy no longer means.
	Rediscovering struct{}
	// Reported carries what the fleets now say of the model.
	Reported struct{ Report Report }
	// Checked carries the verdicts of check run Run, complete.
	Checked struct {
		Run      uint64
		Verdicts []Verdict
	}
	// Measured carries what the fleets reported of users' requests since the last
	// one, oldest first.
	Measured struct{ Windows []Window }
	// PolicyChanged says that the model's policy (Step's argument) is a new one
	// or, with Back, that the one before stands again as RevertPolicy asked.
	PolicyChanged struct{ Back bool }
	// TurnCame says whether a switch that waits may begin.
	TurnCame struct{ Turn Turn }
	// Retired answers the LetGo of the same Key; Problem is empty when it was done.
	Retired struct{ Key, Problem string }
	// Tick says that State.WakeAt has come.
	Tick struct{}
	// Command is an operator's or a pipeline's word.
	Command struct {
		Verb   Verb
		Actor  string // never empty
		Reason string
		// The rest is for Start, unless it says otherwise.
		ID     string       // the new switch's id; also of RollBack with Before
		Target policy.Color // empty: whichever is idle
		// ExpectLive and ExpectVersion must hold of the live color, if not empty.
		ExpectLive    policy.Color
		ExpectVersion string
		Key           string // idempotency key
		// Proven is who a proxy says that asks, who may name another Actor.
		Proven string
		// Force skips validation (Start) or goes back to an unhealthy old color (RollBack).
		Force bool
		// Again starts a switch to a version that was taken back before.
		Again bool
		// Override starts a switch to what the policy does not want to be live.
		Override bool
		// Now, for Start and Promote, waits for no window, no other model and no queue.
		Now bool
		// Order, for Requeue, is the new place: Queued.Order.
		Order int64
		// Groups, for Approve, are those that the actor belongs to.
		Groups []string
		// ByPolicy: it is the policy's own word, which Step has proposed.
		ByPolicy bool
		// Before, for RollBack, names an earlier switch: what was live before it is meant.
		Before *Earlier
		// Quiet, for Drill, is the rate of users' requests a second up to which it is
		// done; 0 means half of the most that was seen lately. AnyRate does it in any case.
		Quiet   float64
		AnyRate bool
	}
	// Earlier is what was live before switch ID.
	Earlier struct {
		ID      string
		Color   policy.Color
		Version string
	}
)

// Verb is what a Command asks for.
type Verb string

// The verbs.
const (
	Start    Verb = "switch"
	Promote  Verb = "promote" // end the present hold or bake now, or go on from Held
	Pause    Verb = "pause"
	Resume   Verb = "resume"   // go on where Pause stopped, or validate again what was inconclusive
	Abort    Verb = "abort"    // end the running switch; all weight back where it was
	RollBack Verb = "rollback" // the same, and also after the switch succeeded
	Practise Verb = "drill"    // go back and forth, to show that it works
	Approve  Verb = "approve"  // a person's word for what the policy has approved
	Requeue  Verb = "requeue"  // another place in the queue
)

func (Recovered) event()     {}
func (Observed) event()      {}
func (Rediscovering) event() {}
func (Reported) event()      {}
func (Checked) event()       {}
func (Measured) event()      {}
func (PolicyChanged) event() {}
func (TurnCame) event()      {}
func (Retired) event()       {}
func (Tick) event()          {}
func (Command) event()       {}

// Action is work that Step wants done after its state was journaled. It is one
// of the types below; they are done in order.
type Action interface{ action() }

type (
	// Publish hands a routing to the fleets.
	Publish struct{ Routing Routing }
	// RunChecks starts check run Run of Checks against color Target. Stage is the
	// name of the assessment's stage that the verdicts belong to. With FailFast
	// the first failure ends the run: users are on the target. With Through the
	// requests go to these entries, as users' do, and not to the target's endpoints.
	RunChecks struct {
		Run      uint64
		Stage    string
		Checks   []policy.Check
		Target   policy.Color
		Live     policy.Color
		FailFast bool
		Through  []Entry
	}
	// CancelChecks stops run Run; its verdicts are no longer wanted.
	CancelChecks struct{ Run uint64 }
	// KeepVerdicts keeps verdicts that no run of checks has given, for the switch's report.
	KeepVerdicts struct {
		SwitchID string
		Stage    string
		Verdicts []Verdict
	}
	// LetGo announces that instances of Color may be decommissioned, and has it done
	// as the policy says. With Restore it asks for them back.
	LetGo struct {
		// Key is the same for the same wish, however often it is asked.
		Key      string
		SwitchID string
		Color    policy.Color
		Version  string
		Restore  bool
		// Instances are those that are meant, and Left is how many others of the color
		// stay; a color that is let go as a whole has all its instances here.
		Instances []Endpoint
		Left      int
		How       policy.Retire
		// Discovery tells in which services the instances are registered.
		Discovery policy.Discovery
	}
	// RevertPolicy says that a node rejected the routing that a policy change
	// made: the policy before it stands again.
	RevertPolicy struct{ Reason string }
	// Propose wants Command carried out: the policy's word on what should be live.
	Propose struct{ Command Command }
	// Refuse answers the Command that Step was given: it can't be done now.
	// The state is unchanged.
	Refuse struct {
		Code    RefusalCode
		Message string // what, why, and what to do
	}
)

// RefusalCode sorts refusals for the API.
type RefusalCode string

// The refusal codes.
const (
	NotNow       RefusalCode = "not-now"      // the phase does not allow it
	Precondition RefusalCode = "precondition" // ExpectLive or ExpectVersion does not hold
	NotReady     RefusalCode = "not-ready"    // endpoints are missing
	Invalid      RefusalCode = "invalid"      // the command contradicts itself
	Busy         RefusalCode = "busy"         // it is no quiet time
	TakenBack    RefusalCode = "taken-back"   // the version was taken back before, and Again is not set
	NotWanted    RefusalCode = "not-wanted"   // the policy wants something else to be live, and Override is not set
)

func (Publish) action()      {}
func (RunChecks) action()    {}
func (CancelChecks) action() {}
func (KeepVerdicts) action() {}
func (LetGo) action()        {}
func (RevertPolicy) action() {}
func (Propose) action()      {}
func (Refuse) action()       {}
