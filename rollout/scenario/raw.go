package scenario

import (
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"greenlight/policy"
	"greenlight/rollout"
)

// A file as it is written. The schema comes from these structs, too.

type rawFile struct {
	Policies *string   `yaml:"policies" jsonschema:"example=../policies" jsonschema_description:"The policy file or folder, relative to this file; read as the server reads it."`
	Tests    []rawTest `yaml:"tests" jsonschema:"required,minItems=1" jsonschema_description:"The tests; each has a world of its own."`
}

type rawTest struct {
	Name     *string    `yaml:"name" jsonschema:"required" jsonschema_description:"What is tested, in words; unique in the file."`
	Model    *string    `yaml:"model" jsonschema_description:"The model; needed where the policies have several."`
	Policies *string    `yaml:"policies" jsonschema_description:"Other policies than the file's."`
	Start    *moment    `yaml:"start" jsonschema_description:"When it begins. Default: 2026-01-05T09:00:00Z, a Monday."`
	Given    *rawGiven  `yaml:"given" jsonschema_description:"How the world is at the start. Default: two instances of each color, blue with v1 and green with v2, three nodes, no traffic, and all checks pass."`
	Timeline []rawEntry `yaml:"timeline" jsonschema:"required,minItems=1" jsonschema_description:"What happens, in order of time."`
}

type rawGiven struct {
	Live     *color              `yaml:"live" jsonschema_description:"What is live already. Default: the model is met for the first time."`
	Registry *rawRegistry        `yaml:"registry" jsonschema_description:"What the registry knows."`
	Nodes    *rawNodes           `yaml:"nodes" jsonschema_description:"The fleets' nodes, named FLEET-1, FLEET-2, …; or their number alone."`
	Traffic  *rawTraffic         `yaml:"traffic" jsonschema_description:"Users' requests, as the fleets report them. Default: none."`
	Checks   map[string]rawCheck `yaml:"checks" jsonschema_description:"What checks come to, by name; all means each of them."`
	Retire   *rawRetire          `yaml:"retire" jsonschema_description:"What becomes of asking to let instances go: ok, fails, or more."`
	Others   *string             `yaml:"others" jsonschema_description:"Why other models hold up a switch that waits for its turn. Default: they do not."`
}

type rawEntry struct {
	At         *span               `yaml:"at" jsonschema:"required" jsonschema_description:"When, after the start."`
	Registry   *rawRegistry        `yaml:"registry" jsonschema_description:"What the registry knows from now on; what is left out stays."`
	Nodes      *rawNodes           `yaml:"nodes" jsonschema_description:"How the fleets are from now on."`
	Traffic    *rawTraffic         `yaml:"traffic" jsonschema_description:"How users' requests are from now on."`
	Checks     map[string]rawCheck `yaml:"checks" jsonschema_description:"What checks come to from now on."`
	Retire     *rawRetire          `yaml:"retire" jsonschema_description:"What becomes of asking to let instances go from now on."`
	Others     *string             `yaml:"others" jsonschema_description:"Why other models hold up a switch that waits for its turn, from now on; empty: they do not."`
	Nack       *rawNack            `yaml:"nack" jsonschema_description:"A node rejects what it is sent next; or the reason alone."`
	Policies   *string             `yaml:"policies" jsonschema_description:"The policies change to this file or folder."`
	Restart    *rawRestart         `yaml:"restart" jsonschema_description:"The control plane is killed: true, or how long it is away."`
	Command    *rawCommand         `yaml:"command" jsonschema_description:"What a person or a pipeline says; or the verb alone. A refusal that is not expected fails the test."`
	Expect     *rawExpect          `yaml:"expect" jsonschema_description:"What holds at this moment."`
	Eventually *rawExpect          `yaml:"eventually" jsonschema_description:"What holds at some moment within the time from now."`
	Never      *rawExpect          `yaml:"never" jsonschema_description:"What holds at no moment from now, for a time or to the end."`
	Always     *rawExpect          `yaml:"always" jsonschema_description:"What holds at every moment from now, for a time or to the end."`
}

type rawRegistry struct {
	Blue    *rawSide `yaml:"blue" jsonschema_description:"Blue's instances; or how many are ready."`
	Green   *rawSide `yaml:"green" jsonschema_description:"Green's instances; or how many are ready."`
	Problem *string  `yaml:"problem" jsonschema_description:"Why the registry is not trusted; its last good answer stands. Empty: it is trusted."`
}

type rawSide struct {
	Ready   *number `yaml:"ready" jsonschema_description:"How many are ready."`
	Unready *number `yaml:"unready" jsonschema_description:"How many are registered and not ready."`
	Version *string `yaml:"version" jsonschema_description:"What they serve."`
}

// ReadShort takes the number of ready instances.
func (s *rawSide) ReadShort(word string) (rule, says string) {
	s.Ready = new(number)
	return s.Ready.Read(word)
}

// JSONSchemaExtend adds the shorthand.
func (rawSide) JSONSchemaExtend(s *jsonschema.Schema) { orWord(s, "number") }

type rawNodes struct {
	Count  *number `yaml:"count" jsonschema_description:"How many there are. Default: 3."`
	Ack    *span   `yaml:"ack" jsonschema_description:"How long one takes to ACK. Default: 200ms."`
	Silent *number `yaml:"silent" jsonschema_description:"How many do not answer."`
	Away   *number `yaml:"away" jsonschema_description:"How many are not connected."`
	Lease  *span   `yaml:"lease" jsonschema_description:"How long one that is away is believed to keep its routing. Default: 1h."`
}

// ReadShort takes their number.
func (n *rawNodes) ReadShort(word string) (rule, says string) {
	n.Count = new(number)
	return n.Count.Read(word)
}

// JSONSchemaExtend adds the shorthand.
func (rawNodes) JSONSchemaExtend(s *jsonschema.Schema) { orWord(s, "number") }

type rawTraffic struct {
	Rate         *rate         `yaml:"rate" jsonschema_description:"Requests a second, of both colors together."`
	Reported     *bool         `yaml:"reported" jsonschema:"default=true" jsonschema_description:"The fleets report them."`
	Seed         *number       `yaml:"seed" jsonschema_description:"Draws requests, failures and times by chance, from this number. Default: they are typical."`
	Errors       *portion      `yaml:"errors" jsonschema_description:"The share that is the server's fault, of both colors."`
	ClientErrors *portion      `yaml:"clientErrors" jsonschema_description:"The share that is the client's fault, of both colors."`
	Latency      *rawLatency   `yaml:"latency" jsonschema_description:"How long answers take, of both colors."`
	Blue         *rawBehaviour `yaml:"blue" jsonschema_description:"How blue is different."`
	Green        *rawBehaviour `yaml:"green" jsonschema_description:"How green is different."`
}

type rawBehaviour struct {
	Errors       *portion    `yaml:"errors" jsonschema_description:"The share that is the server's fault."`
	ClientErrors *portion    `yaml:"clientErrors" jsonschema_description:"The share that is the client's fault."`
	Latency      *rawLatency `yaml:"latency" jsonschema_description:"How long answers take."`
}

type rawLatency struct {
	P50 *span `yaml:"p50" jsonschema_description:"Default: 20ms."`
	P90 *span `yaml:"p90" jsonschema_description:"Default: as p50 and p99 have it."`
	P99 *span `yaml:"p99" jsonschema_description:"Default: 80ms."`
}

type rawCheck struct {
	Result  *result `yaml:"result" jsonschema_description:"pass, fail or inconclusive."`
	Takes   *span   `yaml:"takes" jsonschema_description:"How long it takes. Default: 2s."`
	Summary *string `yaml:"summary" jsonschema_description:"What its verdict says."`
}

// ReadShort takes the result.
func (c *rawCheck) ReadShort(word string) (rule, says string) {
	c.Result = new(result)
	return c.Result.Read(word)
}

// JSONSchemaExtend adds the shorthand.
func (rawCheck) JSONSchemaExtend(s *jsonschema.Schema) { orWord(s, "result") }

// answer is what becomes of asking.
type answer string

const (
	itDoes  answer = "ok"
	itFails answer = "fails"
)

// Read implements policy.Word.
func (a *answer) Read(word string) (rule, says string) { return oneOf(a, word, itDoes, itFails) }

// JSONSchema describes how it is written.
func (answer) JSONSchema() *jsonschema.Schema { return enum([]answer{itDoes, itFails}) }

type rawRetire struct {
	Result   *answer `yaml:"result" jsonschema_description:"ok or fails."`
	Problem  *string `yaml:"problem" jsonschema_description:"Why it fails."`
	Takes    *span   `yaml:"takes" jsonschema_description:"How long the answer takes. Default: 1s."`
	Replaced *span   `yaml:"replaced" jsonschema_description:"How long after a batch has gone new instances are ready in its place. Default: 1m."`
}

// ReadShort takes the answer.
func (r *rawRetire) ReadShort(word string) (rule, says string) {
	r.Result = new(answer)
	return r.Result.Read(word)
}

// JSONSchemaExtend adds the shorthand.
func (rawRetire) JSONSchemaExtend(s *jsonschema.Schema) { orWord(s, "answer") }

type rawNack struct {
	Node   *string `yaml:"node" jsonschema:"example=edge-2" jsonschema_description:"Which node. Default: the first that answers."`
	Reason *string `yaml:"reason" jsonschema:"required" jsonschema_description:"Why."`
	Type   *string `yaml:"type" jsonschema:"default=route,enum=route,enum=cluster,enum=endpoint,enum=listener" jsonschema_description:"What it rejects."`
	Times  *number `yaml:"times" jsonschema:"default=1" jsonschema_description:"How many routings it rejects."`
}

// ReadShort takes the reason.
func (n *rawNack) ReadShort(word string) (rule, says string) {
	n.Reason = &word
	return "", ""
}

// JSONSchemaExtend adds the shorthand.
func (rawNack) JSONSchemaExtend(s *jsonschema.Schema) {
	full := *s
	*s = jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, &full}}
}

// rawRestart is true, or for how long nobody is there.
type rawRestart time.Duration

// Read implements policy.Word.
func (r *rawRestart) Read(word string) (rule, says string) {
	if word == "true" {
		*r = 0
		return "", ""
	}
	var d span
	if rule, says = d.Read(word); says != "" {
		return rule, "write true, or how long the control plane is away, like 30s"
	}
	*r = rawRestart(d)
	return "", ""
}

// JSONSchema describes how it is written.
func (rawRestart) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "boolean", Enum: []any{true}}, {Ref: "#/$defs/span"}}}
}

type rawCommand struct {
	Verb          *verb    `yaml:"verb" jsonschema:"required" jsonschema_description:"What is asked."`
	Actor         *string  `yaml:"actor" jsonschema:"default=tester" jsonschema_description:"Who asks."`
	Reason        *string  `yaml:"reason" jsonschema_description:"Why."`
	Target        *color   `yaml:"target" jsonschema_description:"The color to switch to. Default: whichever is idle."`
	ExpectLive    *color   `yaml:"expectLive" jsonschema_description:"Only if this color is live."`
	ExpectVersion *string  `yaml:"expectVersion" jsonschema_description:"Only if the live color serves this version."`
	Force         *bool    `yaml:"force" jsonschema_description:"Skip the validation, or go back to an unhealthy color."`
	Again         *bool    `yaml:"again" jsonschema_description:"Although the version was taken back before."`
	Override      *bool    `yaml:"override" jsonschema_description:"Although the policy wants something else."`
	Now           *bool    `yaml:"now" jsonschema_description:"switch, promote: wait for no window, no other model and no queue."`
	Groups        []string `yaml:"groups" jsonschema_description:"approve: the groups that the actor belongs to."`
	Before        *number  `yaml:"before" jsonschema_description:"rollback: to what was live before this switch; 1 is the test's first."`
	Below         *rate    `yaml:"below" jsonschema_description:"drill: the rate up to which it is done."`
	AnyRate       *bool    `yaml:"anyRate" jsonschema_description:"drill: do it at any rate."`
}

// ReadShort takes the verb.
func (c *rawCommand) ReadShort(word string) (rule, says string) {
	c.Verb = new(verb)
	return c.Verb.Read(word)
}

// JSONSchemaExtend adds the shorthand.
func (rawCommand) JSONSchemaExtend(s *jsonschema.Schema) { orWord(s, "verb") }

type rawExpect struct {
	Within *span `yaml:"within" jsonschema_description:"eventually: how long it may take."`
	For    *span `yaml:"for" jsonschema_description:"never, always: for how long. Default: to the end of the test."`

	Phase         *phase          `yaml:"phase" jsonschema_description:"Where the model stands."`
	Live          *color          `yaml:"live" jsonschema_description:"The live color."`
	Version       *string         `yaml:"version" jsonschema_description:"What the live color serves."`
	Weights       *rawWeights     `yaml:"weights" jsonschema_description:"What each color gets of users' requests."`
	Mirror        *weight         `yaml:"mirror" jsonschema_description:"What share of the requests is mirrored."`
	Outcome       *ending         `yaml:"outcome" jsonschema_description:"How the last switch ended; running while it runs, none when there was none."`
	Cause         *text           `yaml:"cause" jsonschema_description:"Why it did not succeed."`
	Reason        *text           `yaml:"reason" jsonschema_description:"Why the last switch is in its present phase."`
	Actor         *string         `yaml:"actor" jsonschema_description:"Who started the last switch."`
	To            *color          `yaml:"to" jsonschema_description:"Where the last switch goes."`
	Problem       *text           `yaml:"problem" jsonschema_description:"What a person should know."`
	Drift         *text           `yaml:"drift" jsonschema_description:"How what is live differs from what the policy wants."`
	Waits         *text           `yaml:"waits" jsonschema_description:"What a switch that waits for its turn, or a step, waits for."`
	Judgement     *text           `yaml:"judgement" jsonschema_description:"What users' requests say of the running switch so far."`
	Refused       *text           `yaml:"refused" jsonschema_description:"expect: why the command of this entry was refused."`
	PolicyProblem *text           `yaml:"policyProblem" jsonschema_description:"Why the policy in force is not what the file says."`
	Returnable    *bool           `yaml:"returnable" jsonschema_description:"Whether the old color could take all users back now."`
	Transitions   []rawTransition `yaml:"transitions" jsonschema_description:"All that the last switch went through so far."`
}

type rawWeights struct {
	Blue  *weight `yaml:"blue" jsonschema_description:"Blue's share."`
	Green *weight `yaml:"green" jsonschema_description:"Green's share."`
}

type rawTransition struct {
	Phase  *phase  `yaml:"phase" jsonschema:"required" jsonschema_description:"What was entered."`
	Weight *weight `yaml:"weight" jsonschema_description:"The new color's share then."`
	Reason *text   `yaml:"reason" jsonschema_description:"Why."`
}

// ReadShort takes "PHASE" or "PHASE WEIGHT".
func (t *rawTransition) ReadShort(word string) (rule, says string) {
	name, share, found := strings.Cut(word, " ")
	t.Phase = new(phase)
	if rule, says = t.Phase.Read(name); says != "" || !found {
		return rule, says
	}
	t.Weight = new(weight)
	return t.Weight.Read(strings.TrimSpace(share))
}

// JSONSchemaExtend adds the shorthand.
func (rawTransition) JSONSchemaExtend(s *jsonschema.Schema) {
	full := *s
	*s = jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, &full}}
}

// orWord lets a mapping be written as one word of a defined type, too.
func orWord(s *jsonschema.Schema, word string) {
	full := *s
	*s = jsonschema.Schema{OneOf: []*jsonschema.Schema{{Ref: "#/$defs/" + word}, &full}}
}

// Schema is the JSON Schema of a file of tests, for editors.
func Schema() ([]byte, error) {
	return policy.SchemaOf(&rawFile{}, "Greenlight policy tests", "Scenarios in simulated time, and what the policies should make of them.")
}

// nackTypes are what a node can reject.
var nackTypes = []string{"route", "cluster", "endpoint", "listener"}

// actor is who gives commands unless a scenario says who.
const actor = "tester"

// start is when a test begins unless it says when.
var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// isEmpty reports whether e expects nothing.
func (e *rawExpect) isEmpty() bool {
	return e.Phase == nil && e.Live == nil && e.Version == nil && e.Weights == nil && e.Mirror == nil && e.Outcome == nil &&
		e.Cause == nil && e.Reason == nil && e.Actor == nil && e.To == nil && e.Problem == nil && e.Drift == nil && e.Waits == nil &&
		e.Judgement == nil && e.Refused == nil && e.PolicyProblem == nil && e.Returnable == nil && e.Transitions == nil
}

// earlier is what a rollback to before a switch goes back to.
func earlier(sw rollout.Switch) *rollout.Earlier {
	return &rollout.Earlier{ID: sw.ID, Color: sw.From, Version: sw.FromVersion}
}
