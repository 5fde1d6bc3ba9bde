package api

import (
	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
)

// ModelStatus is s as the API shows it.
func ModelStatus(s rollout.Status) *adminv1.ModelStatus {
	out := &adminv1.ModelStatus{
		Model:         s.State.Model,
		State:         state(&s.State),
		Policy:        Policy(s.Policy),
		PolicyProblem: s.PolicyProblem,
		PolicySince:   at(s.PolicySince),
		Endpoints:     endpointSet(s.Endpoints),
		Report:        report(s.Report),
		Checks:        list(s.Checks, checkProgress),
		Revision:      s.Revision,

		Traffic:         traffic(s.Traffic.View(s.State.Weights)),
		ReturnReadiness: readiness(s.Return),
		SilentNodes:     list(s.Silent, nodeRef),
		Judgement:       s.Judgement,
		Drift:           s.Drift,
		Twice:           twice(s.State.Twice, s.Policy),
	}
	out.State.EndpointsKnown = s.State.Facts.EndpointsKnown || saysEndpoints(s.Endpoints)
	out.State.ReportKnown = s.State.Facts.ReportKnown || saysReport(s.Report)
	return out
}

// saysEndpoints reports whether s holds anything that the registry has said. A
// state may be handed out without its facts; what stands beside it speaks then.
func saysEndpoints(s rollout.EndpointSet) bool {
	return len(s.Blue)+len(s.Green)+len(s.Unready) > 0 || s.Problem != ""
}

// saysReport reports whether r holds anything that the fleets have said.
func saysReport(r rollout.Report) bool {
	return r.Settled || r.Connected > 0 || len(r.Stale) > 0
}

func state(s *rollout.State) *adminv1.State {
	out := &adminv1.State{
		Live:             colors[s.Live],
		Phase:            phases[s.Phase],
		Since:            at(s.Since),
		Generation:       s.Generation,
		Weights:          weights(s.Weights),
		Switch:           Switch(s.Switch),
		StepIndex:        number(s.StepIndex),
		Resume:           phases[s.Resume],
		Deadline:         at(s.Deadline),
		NextCheck:        at(s.NextCheck),
		Problem:          s.Problem,
		CheckRun:         s.CheckRun,
		Runs:             s.Runs,
		GiveUpAt:         at(s.GiveUpAt),
		Back:             s.Back,
		Letting:          letting(s.Letting),
		PolicyGeneration: s.PolicyGeneration,
		Reverting:        s.Reverting,
		Passed:           at(s.Passed),
		Open:             s.Open,
		Mirror:           mirror(s.Mirror),
		HoldUntil:        at(s.HoldUntil),
		HeldOn:           s.HeldOn,
		Walked:           s.Walked,
		WalkRun:          s.WalkRun,
		Judging:          judging(s.Judging),
		CarriedBlue:      carried(s.Carried.Blue),
		CarriedGreen:     carried(s.Carried.Green),
	}
	out.WantedBy, out.Unsure = writers(s.Word.Writers), heard(s.Unsure)
	out.BusiestPerSecond, out.BusiestAt = s.Busiest.Rate, at(s.Busiest.At)
	if s.WarmUp.Took != 0 {
		out.WarmUp = lasting(s.WarmUp.Took)
	}
	out.WarmingBlueSince, out.WarmingGreenSince = at(s.WarmUp.Since.Blue), at(s.WarmUp.Since.Green)
	out.Rolled = rolled(s.Rolled)
	out.TakenBack = list(s.Tried, takenBack)
	out.Queued = queued(s.Queued)
	out.PolicyUses = list(s.Uses, policyUse)
	out.Wanted, out.WantedSince, out.Parted = wanted(s.Word.Want), at(s.Word.Since), parted(s.Parted)
	if s.Left != 0 {
		out.Left = lasting(s.Left)
	}
	return out
}

func letting(l rollout.Letting) *adminv1.Letting {
	if l == (rollout.Letting{}) {
		return nil
	}
	return &adminv1.Letting{QuietSince: at(l.Quiet), Asked: at(l.Asked), Tries: number(l.Tries), Problem: l.Problem, Until: at(l.Until)}
}

// Switch is s as the API shows it; nil stays nil.
func Switch(s *rollout.Switch) *adminv1.Switch {
	if s == nil {
		return nil
	}
	return &adminv1.Switch{
		Id:             s.ID,
		Model:          s.Model,
		From:           colors[s.From],
		To:             colors[s.To],
		FromVersion:    s.FromVersion,
		ToVersion:      s.ToVersion,
		Actor:          s.Actor,
		Reason:         s.Reason,
		IdempotencyKey: s.Key,
		Forced:         s.Forced,
		Started:        at(s.Started),
		Ended:          at(s.Ended),
		Outcome:        outcomes[s.Outcome],
		Cause:          s.Cause,
		Transitions:    list(s.Transitions, transition),
		Verdicts:       list(s.Verdicts, verdict),
		Plan:           Policy(&s.Plan),
		Validated:      at(s.Validated),
		Needed:         number(s.Needed),
		LetGo:          at(s.LetGo),
		Accepted:       acceptance(s.Accepted),
		Again:          s.Again,
		Undoes:         s.Undoes,
		Twice:          twice(s.Twice, &s.Plan),
		Drills:         list(s.Drills, drill),
		Now:            s.Now,
		Approvals:      list(s.Approvals, approved),
		AskedBy:        writers(s.Writers),
	}
}

func acceptance(a *rollout.Acceptance) *adminv1.Acceptance {
	if a == nil {
		return nil
	}
	return &adminv1.Acceptance{Actor: a.Actor, Reason: a.Reason, At: at(a.At), Checks: a.Checks}
}

func transition(t rollout.Transition) *adminv1.Transition {
	return &adminv1.Transition{
		At:         at(t.At),
		From:       phases[t.From],
		To:         phases[t.To],
		Generation: t.Generation,
		Weights:    weights(t.Weights),
		Actor:      t.Actor,
		Reason:     t.Reason,
	}
}

// verdict leaves out the detail: statuses and switches never carry one.
func verdict(v rollout.Verdict) *adminv1.Verdict {
	return &adminv1.Verdict{
		Check:    v.Check,
		Kind:     v.Kind,
		Result:   results[v.Result],
		Summary:  v.Summary,
		Figures:  v.Figures,
		Measures: list(v.Measures, measure),
		Evidence: list(v.Evidence, evidence),
		Took:     lasting(v.Took),
		At:       at(v.At),
	}
}

func evidence(e rollout.Evidence) *adminv1.Evidence {
	return &adminv1.Evidence{Endpoint: e.Endpoint, Case: e.Case, Expected: e.Expected, Got: e.Got}
}

func endpointSet(s rollout.EndpointSet) *adminv1.EndpointSet {
	return &adminv1.EndpointSet{
		Blue:    list(s.Blue, endpoint),
		Green:   list(s.Green, endpoint),
		Unready: counts(s.Unready),
		Problem: s.Problem,
		Since:   at(s.Since),
	}
}

func endpoint(e rollout.Endpoint) *adminv1.Endpoint {
	return &adminv1.Endpoint{Id: e.ID, Address: e.Address, Port: number(e.Port), Weight: e.Weight, Version: e.Version}
}

func report(r rollout.Report) *adminv1.Report {
	return &adminv1.Report{
		Generation:     r.Generation,
		Settled:        r.Settled,
		Connected:      number(r.Connected),
		Acked:          number(r.Acked),
		Pending:        list(r.Pending, nodeRef),
		Rejected:       list(r.Rejected, rejection),
		Stale:          list(r.Stale, stale),
		Cold:           counts(r.Cold),
		ColdBlueNodes:  list(r.ColdNodes[policy.Blue], nodeRef),
		ColdGreenNodes: list(r.ColdNodes[policy.Green], nodeRef),
		MaySend:        counts(r.MaySend),
		Sending:        counts(r.Sending),
		Entries:        list(r.Entries, entry),
		PreviewClosed:  r.PreviewClosed,
	}
}

func nodeRef(n rollout.NodeRef) *adminv1.NodeRef {
	return &adminv1.NodeRef{Fleet: n.Fleet, Node: n.Node, Detail: n.Detail}
}

func rejection(r rollout.Rejection) *adminv1.Rejection {
	return &adminv1.Rejection{Fleet: r.Fleet, Node: r.Node, Type: r.Type, Reason: r.Reason, At: at(r.At)}
}

func stale(s rollout.Stale) *adminv1.StaleNode {
	return &adminv1.StaleNode{Fleet: s.Fleet, Node: s.Node, Since: at(s.Since), Until: at(s.Until)}
}

func checkProgress(c rollout.CheckProgress) *adminv1.CheckProgress {
	return &adminv1.CheckProgress{Check: c.Check, Done: number(c.Done), Total: number(c.Total), Result: results[c.Result]}
}

// Fleet is f as the API shows it.
func Fleet(f rollout.FleetView) *adminv1.Fleet {
	return &adminv1.Fleet{Name: f.Name, Routes: f.Routes, Nodes: list(f.Nodes, node)}
}

func node(n rollout.NodeView) *adminv1.Node {
	return &adminv1.Node{
		Node:      n.Node,
		Agent:     n.Agent,
		Connected: n.Connected,
		Since:     at(n.Since),
		Until:     at(n.Until),
		Delta:     n.Delta,
		Types:     list(n.Types, typeAck),
	}
}

func typeAck(t rollout.TypeView) *adminv1.TypeAck {
	return &adminv1.TypeAck{
		Type:       t.Type,
		Wanted:     t.Wanted,
		Acked:      t.Acked,
		AckedAt:    at(t.AckedAt),
		Rejected:   t.Rejected,
		RejectedAt: at(t.RejectedAt),
	}
}
