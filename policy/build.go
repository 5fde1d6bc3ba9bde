package policy

import (
	"net"
	"strconv"
	"strings"
	"time"
)

// The longest times that a policy may ask for. Beyond them a number is more
// likely a slip than a wish.
const (
	day      = 24 * time.Hour
	longWait = 30 * day
	aYear    = 365 * day
)

// defaultEvery is the time between two runs of checks that are run again.
const defaultEvery = 10 * time.Second

// model builds a Model from a raw document.
func (b *builder) model(raw *rawModel) *Model {
	b.header(raw.APIVersion)
	m := &Model{Name: raw.Metadata.Name, Owners: raw.Metadata.Owners, Source: b.source}
	if !b.marks.has("metadata.name") {
		b.require("metadata.name", "write metadata: {name: NAME}")
	} else {
		b.refuse("metadata.name", RuleNameSyntax, m.Name, nameFault(m.Name))
	}
	for i, owner := range m.Owners {
		b.refuse(item("metadata.owners", i), RuleTextSyntax, owner, textFault(owner))
	}
	if len(m.Owners) == 0 {
		m.Owners = nil
	}
	b.spec(m, &raw.Spec)
	return m
}

func (b *builder) spec(m *Model, raw *rawSpec) {
	if !b.marks.has("spec") {
		b.require("spec", "write at least spec.discovery and spec.route")
		return
	}
	m.InitialLive = Color(b.choice("spec.initialLive", raw.InitialLive, "", string(Blue), string(Green)))
	m.Wanted = b.wanted(raw.Live)
	m.Discovery = b.discovery(&raw.Discovery)
	m.Route = b.route(m.Name, &raw.Route)
	m.Predict = b.predict(m.Name, raw.Predict)
	m.Calendar = b.calendar(raw.Calendar)
	m.Shape, m.Shift = b.shift(raw.Shift)
	m.Prepare = b.prepare(raw.Prepare)
	m.Judge = b.judge(raw.Judge)
	m.Shadow = b.shadow(raw.Shadow)
	m.Confirm = b.confirm(raw.Confirm)
	m.StepChecks = b.stepChecks(orEmpty(raw.Shift))
	m.Bake = b.bake(orEmpty(raw.Bake))
	b.allChecks(m, raw)
	m.Rollback = b.rollback(raw.Rollback)
	m.Retire = b.retire(raw.Retire)
	m.Cost = b.cost(raw.Cost)
	if m.Rolling = b.rolling(m.Shape, orEmpty(raw.Shift).Rolling); m.Rolling != nil {
		b.fitRolling(m)
	}
	b.turns(m, raw)
}

// allChecks builds the three lists of checks. The steps and the bake have
// validate's cheap ones unless they have their own; an empty list is one of
// its own.
func (b *builder) allChecks(m *Model, raw *rawSpec) {
	validate := b.validate(m, raw.Validate)
	steps, bake := validate.repeated("spec.shift.checks"), validate.repeated("spec.bake.checks")
	if b.marks.has(steps.path) {
		steps = b.checks(steps.path, m, orEmpty(raw.Shift).Checks)
		b.stepsToCheck(m, steps)
	}
	if b.marks.has(bake.path) {
		bake = b.checks(bake.path, m, orEmpty(raw.Bake).Checks)
	}
	m.Validate = validate.settled(InconclusiveFails)
	m.StepChecks.Checks = steps.settled(InconclusiveHolds)
	m.Bake.Checks = bake.settled(InconclusiveHolds)
	m.Predict.Reserved = reserved(m.Validate, m.StepChecks.Checks, m.Bake.Checks)
	b.compile(validate, steps, bake)
}

// fleet builds a Fleet from a raw document.
func (b *builder) fleet(raw *rawFleet) *Fleet {
	b.header(raw.APIVersion)
	f := &Fleet{Name: raw.Metadata.Name, Source: b.source}
	if !b.marks.has("metadata.name") {
		b.require("metadata.name", "write metadata: {name: NAME}")
	} else {
		b.refuse("metadata.name", RuleNameSyntax, f.Name, foreignFault(f.Name))
	}
	f.Routes = b.text("spec.routes", raw.Spec.Routes, f.Name, RuleNameSyntax, foreignFault)
	if raw.Spec.Listener != nil {
		f.Listener = b.listener(raw.Spec.Listener)
		f.Telemetry = b.telemetry(orEmpty(raw.Spec.Telemetry))
	} else if raw.Spec.Telemetry != nil {
		b.problem("spec.telemetry", RuleContradiction, "spec.telemetry comes with the listener, and there is none; write spec.listener, or add the access log to the fleet's own (docs/telemetry.md)")
	}
	f.Entry = b.text("spec.entry", raw.Spec.Entry, "", RuleAddressSyntax, entryFault)
	return f
}

func (b *builder) telemetry(raw *rawTelemetry) *Telemetry {
	const path = "spec.telemetry"
	off := truth(raw.Off, false)
	if off && (raw.Sample != nil || raw.Every != nil) {
		b.problem(path+".off", RuleContradiction, "telemetry.off = true, yet sample or every is written; remove one or the other")
	}
	sample := b.weight(raw.Sample, Full)
	if sample == 0 && !b.marks.unread(path+".sample") {
		b.problem(path+".sample", RuleWeightRange, "telemetry.sample = 0%%; write off: true for no reports")
	}
	return &Telemetry{Off: off, Sample: sample, Every: b.wait(path+".every", raw.Every, time.Second, 100*time.Millisecond, time.Minute)}
}

// entryFault says what is wrong with a host:port.
func entryFault(text string) string {
	host, port, err := net.SplitHostPort(text)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 || host == "" || strings.ContainsAny(host, " /@") {
		return "an entry is written like edge.internal:8080"
	}
	return ""
}

func (b *builder) listener(raw *rawListener) *Listener {
	if raw.Port == nil {
		b.require("spec.listener.port", "write the TCP port that the Envoys listen on")
	}
	return &Listener{
		Name:    b.text("spec.listener.name", raw.Name, "greenlight", RuleNameSyntax, foreignFault),
		Address: b.text("spec.listener.address", raw.Address, "0.0.0.0", RuleAddressSyntax, addressFault),
		Port:    b.count("spec.listener.port", raw.Port, 0, 1, 65535),
	}
}

func (b *builder) prepare(raw *rawPrepare) Prepare {
	if raw == nil {
		raw = &rawPrepare{}
	}
	return Prepare{Within: b.wait("spec.prepare.within", raw.Within, 5*time.Minute, 10*time.Millisecond, day)}
}

func (b *builder) confirm(raw *rawConfirm) Confirm {
	if raw == nil {
		raw = &rawConfirm{}
	}
	otherwise := b.choice("spec.confirm.otherwise", raw.Otherwise, string(OtherwiseRollback), string(OtherwiseRollback), string(OtherwiseHold))
	return Confirm{
		Within:    b.wait("spec.confirm.within", raw.Within, 30*time.Second, 10*time.Millisecond, day),
		Otherwise: Otherwise(otherwise),
	}
}

func (b *builder) bake(raw *rawBake) Bake {
	return Bake{
		For:   b.wait("spec.bake.for", raw.For, 30*time.Minute, 0, longWait),
		Every: b.wait("spec.bake.every", raw.Every, defaultEvery, 10*time.Millisecond, day),
	}
}

func (b *builder) rollback(raw *rawRollback) Rollback {
	if raw == nil {
		raw = &rawRollback{}
	}
	return Rollback{
		Automatic:      truth(raw.Automatic, true),
		EndpointsBelow: b.weight(raw.EndpointsBelow, Full/2),
	}
}
