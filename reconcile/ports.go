// Package reconcile runs one goroutine a model: it takes an event, asks
// rollout.Step, journals the answer, and only then does the work.
package reconcile

import (
	"context"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// Fleet carries routing to the Envoys. Its methods return at once; what the
// nodes made of it comes back through Report.
type Fleet interface {
	// Route publishes a model's routing; the last call wins. Calling it again
	// with the same generation is harmless.
	Route(rollout.Routing)
	// Endpoints replaces what both colors' clusters hold.
	Endpoints(model string, blue, green []rollout.Endpoint)
	// Report says where the fleets stand with the model's last routing.
	Report(model string) rollout.Report
	// Withdraw takes the model off all fleets.
	Withdraw(model string)
}

// Traffic tells what the fleets report of users' requests.
type Traffic interface {
	// Take answers with a model's windows that were closed since the last call,
	// oldest first.
	Take(model string) []rollout.Window
}

// Journal keeps every state of every model. Commit returns only when s, and
// the switch in it, are on disk.
type Journal interface {
	Commit(s rollout.State) error
	// SwitchByKey finds the switch that was started with an idempotency key; nil if none was.
	SwitchByKey(model, key string) (*rollout.Switch, error)
}

// Checker runs checks until they are done or ctx is cancelled. It always
// returns one verdict per check.
type Checker interface {
	Run(ctx context.Context, job rollout.CheckJob) []rollout.Verdict
}

// Registry watches one model's instances until ctx is done. It emits whole
// sets, first as soon as the first whole answer is there. last is the last
// good set from disk; it is nil when there is none.
type Registry interface {
	Watch(ctx context.Context, model string, d policy.Discovery, last *rollout.EndpointSet, emit func(rollout.EndpointSet))
}

// EndpointStore keeps the registry's last good answers over a restart. Saving
// one is in no hurry: it happens beside the loops.
type EndpointStore interface {
	SaveEndpoints(model string, set rollout.EndpointSet) error
}

// PolicyStore keeps, over a restart, the last policy of each model that every
// node took: the one to go back to. Saving is in no hurry here, too.
type PolicyStore interface {
	SaveTaken(m *policy.Model) error
}

// Retirer has instances decommissioned, or brought back.
type Retirer interface {
	// LetGo returns when that is done, or ctx is. Asking the same again is harmless.
	LetGo(ctx context.Context, model string, a rollout.LetGo) error
}

// ReportStore keeps the verdicts of each stage of a switch with their details,
// which are too large for the journal. Saving is in no hurry here, too.
type ReportStore interface {
	// SaveVerdicts puts the verdicts of one complete run in the place of the
	// older ones of the same checks in this stage.
	SaveVerdicts(switchID, stage string, verdicts []rollout.Verdict) error
}

// RecordingStore keeps what each switch heard, so that it can be replayed under another
// policy. Saving is in no hurry here, too.
type RecordingStore interface {
	// AppendRecording adds a part, which begins at that time. Adding it again is harmless.
	AppendRecording(switchID string, at time.Time, part []byte) error
}
