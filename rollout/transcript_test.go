package rollout_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
	"greenlight/rollout"
)

var update = flag.Bool("update", false, "rewrite the expected part of testdata/*.txt")

// TestTranscripts plays whole switches. A transcript is a text file of blocks:
// commands, one a line, then "----", then what became of them, then an empty
// line. `go test ./rollout -update` rewrites what became of them; read the
// difference before you commit it. testdata/README.md lists the commands.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { play(t, file) })
	}
}

func play(t *testing.T, file string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	stage := &stage{t: t, world: newWorld(t, shortest())}
	var out []string
	for _, block := range strings.Split(strings.TrimSpace(string(raw)), "\n\n") {
		commands, want, _ := strings.Cut(block, "\n----")
		var got strings.Builder
		played := false
		for _, line := range strings.Split(commands, "\n") {
			if line != "" && !strings.HasPrefix(line, "#") {
				got.WriteString(stage.play(line))
				played = true
			}
		}
		if !played {
			out = append(out, commands)
			continue
		}
		got.WriteString(stage.summary())
		out = append(out, commands+"\n----\n"+strings.TrimSuffix(got.String(), "\n"))
		if want = strings.TrimPrefix(want, "\n"); !*update && want != strings.TrimSuffix(got.String(), "\n") {
			t.Errorf("%s:\n%s\n---- got\n%s---- want\n%s", file, commands, got.String(), want)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(out, "\n\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// stage turns a transcript's lines into events, and what came of them into lines.
type stage struct {
	t *testing.T
	*world
	switches int
	asked    string // LetGo.Key of the last one
	proposed rollout.Command
	set      rollout.EndpointSet
}

func (s *stage) play(line string) string {
	s.t.Helper()
	words := fields(line)
	args := arguments(words[1:])
	before := s.s
	var actions []rollout.Action
	switch verb := words[0]; verb {
	case "policy":
		s.policy(args)
		return ""
	case "policychanged":
		next := *s.p
		s.p = &next
		_, fresh := args["new"]
		actions = s.step(rollout.PolicyChanged{Back: s.s.Reverting && !fresh})
	case "rediscovering":
		actions = s.step(rollout.Rediscovering{})
	case "observe":
		s.observe(args)
		actions = s.step(rollout.Observed{Endpoints: s.set})
	case "report":
		actions = s.step(rollout.Reported{Report: s.report(args)})
	case "checked":
		actions = s.step(s.checked(words[1], args))
	case "retired":
		actions = s.step(rollout.Retired{Key: s.asked, Problem: args["problem"]})
	case "turn":
		_, granted := args["granted"]
		actions = s.step(rollout.TurnCame{Turn: rollout.Turn{Granted: granted, Why: args["why"]}})
	case "obey": // what the policy wants, as the loop does
		c := s.proposed
		s.switches++
		c.ID = fmt.Sprintf("s%d", s.switches)
		actions = s.step(c)
	case "restart":
		actions = s.restart()
	case "wait":
		actions = s.elapse(s.duration(words[1]))
	default:
		actions = s.step(s.command(rollout.Verb(verb), args))
	}
	return s.told(before, actions)
}

// told lists transitions and actions.
func (s *stage) told(before rollout.State, actions []rollout.Action) string {
	var b strings.Builder
	for _, tr := range fresh(seen{before: before, after: s.s}) {
		fmt.Fprintf(&b, "%s -> %s", tr.From, tr.To)
		if tr.Actor != "" {
			fmt.Fprintf(&b, " [%s]", tr.Actor)
		}
		fmt.Fprintf(&b, ": %s\n", tr.Reason)
	}
	for _, a := range actions {
		fmt.Fprintf(&b, "  %s\n", s.action(a))
	}
	return b.String()
}

func (s *stage) action(a rollout.Action) string {
	switch a := a.(type) {
	case rollout.Publish:
		return fmt.Sprintf("publish %d: %s, live %s", a.Routing.Generation, share(a.Routing.Weights), a.Routing.Live)
	case rollout.RunChecks:
		var names []string
		for _, c := range a.Checks {
			names = append(names, c.Name)
		}
		at := ""
		if a.Stage != rollout.StageValidate && a.Stage != rollout.StageBake {
			at = " at " + a.Stage
		}
		return fmt.Sprintf("run %d: %s on %s%s", a.Run, strings.Join(names, ", "), a.Target, at)
	case rollout.CancelChecks:
		return fmt.Sprintf("cancel run %d", a.Run)
	case rollout.LetGo:
		s.asked = a.Key
		if a.Key == a.SwitchID {
			return fmt.Sprintf("let go of %s %s %s", a.Color, a.Version, a.How.Webhook)
		}
		var ids []string
		for _, e := range a.Instances {
			ids = append(ids, e.ID)
		}
		return fmt.Sprintf("%s: %s of %s %s, %d left", a.Key, strings.Join(ids, " "), a.Color, a.Version, a.Left)
	case rollout.Propose:
		s.proposed = a.Command
		again := ""
		if a.Command.Again {
			again = " again"
		}
		return fmt.Sprintf("propose %s to %s%s: %s", a.Command.Verb, a.Command.Target, again, a.Command.Reason)
	case rollout.RevertPolicy:
		return "revert policy: " + a.Reason
	case rollout.Refuse:
		return fmt.Sprintf("refused (%s): %s", a.Code, a.Message)
	}
	return fmt.Sprintf("%+v", a)
}

func share(w rollout.Weights) string {
	return fmt.Sprintf("blue %g%% green %g%%", float64(w.Blue)/100, float64(w.Green)/100)
}

// summary is where the model stands at the end of a block.
func (s *stage) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "= %s, %s live, %s", s.s.Phase, s.s.Live, share(s.s.Weights))
	if wake := s.s.WakeAt(); !wake.IsZero() {
		fmt.Fprintf(&b, ", wakes in %s", wake.Sub(s.now))
	}
	if sw := s.s.Switch; sw != nil && sw.Outcome != "" {
		fmt.Fprintf(&b, ", %s", sw.Outcome)
		if sw.Cause != "" {
			fmt.Fprintf(&b, ": %s", sw.Cause)
		}
	}
	b.WriteString("\n")
	if s.s.Problem != "" {
		fmt.Fprintf(&b, "! %s\n", s.s.Problem)
	}
	if s.s.Queued.Why != "" {
		fmt.Fprintf(&b, "… %s\n", s.s.Queued.Why)
	}
	if drift := s.s.Drift(s.p); drift != "" {
		fmt.Fprintf(&b, "~ %s\n", drift)
	}
	return b.String()
}

func (s *stage) policy(args map[string]string) {
	p := *s.p
	for key, value := range args {
		switch key {
		case "initial":
			p.InitialLive = policy.Color(value)
		case "steps":
			p.Shift = s.steps(value)
		case "validate":
			p.Validate = nil
			if value == "golden" {
				p.Validate = []policy.Check{golden()}
			}
		case "min":
			p.Validate = []policy.Check{endpoints(s.number(value), policy.Full), golden()}
		case "stepchecks":
			p.StepChecks = policy.StepChecks{Every: s.duration(value), Checks: []policy.Check{golden()}}
		case "inconclusive": // speaks of the checks that the others set
		case "otherwise":
			p.Confirm.Otherwise = policy.Otherwise(value)
		case "automatic":
			p.Rollback.Automatic = value == "true"
		case "bake":
			p.Bake.For = s.duration(value)
		case "retire":
			p.Retire.Off = value == "off"
			if !p.Retire.Off {
				p.Retire.After = s.duration(value)
			}
		case "rolling":
			p.Rolling = &policy.Rolling{Batch: policy.Amount{Count: s.number(value)}, Capacity: policy.Full * 3 / 4, Hold: time.Minute}
			p.Validate = []policy.Check{endpoints(1, 0), golden()}
		case "webhook":
			p.Retire.Webhook = value
		case "queue":
			p.Queue = policy.Queue{Group: value, AtMost: 1}
		case "depends":
			p.DependsOn = []string{value}
		case "window": // mon-fri:09:00-17:00, in UTC
			days, hours, _ := strings.Cut(value, ":")
			from, to, _ := strings.Cut(hours, "-")
			p.Calendar = s.calendar(calendar.Plan{Zone: "UTC", Windows: []calendar.Span{{Days: []string{days}, From: from, To: to}}})
		case "approve": // shift:risk:2:4h+retire:ops:1:1h
			p.Approve = nil
			for _, one := range strings.Split(value, "+") {
				f := strings.Split(one, ":")
				p.Approve = append(p.Approve, policy.Approval{Before: policy.Act(f[0]), By: []string{f[1]}, Count: s.number(f[2]), Within: s.duration(f[3])})
			}
		case "live":
			p.Wanted = policy.Wanted{Color: policy.Color(value)}
			if version, ok := strings.CutPrefix(value, "version:"); ok {
				p.Wanted = policy.Wanted{Version: version}
			}
		case "commit":
			p.Source = policy.Source{File: "fraud.yaml", Line: 1, Hash: value, Commit: &policy.Commit{ID: value, Author: "Ann", Subject: "to " + value}}
			if author := args["author"]; author != "" {
				p.Source.Commit.Author = author
			}
			p.Source.Commit.Committer, p.Source.Commit.SignedBy = args["committer"], args["signed"]
		case "author", "committer", "signed": // of the commit
		default:
			s.t.Fatalf("unknown policy setting %q", key)
		}
	}
	if means, ok := args["inconclusive"]; ok {
		s.inconclusive(&p, policy.OnInconclusive(means))
	}
	s.p = &p
}

// inconclusive says what an inconclusive golden check means, wherever it runs.
func (s *stage) inconclusive(p *policy.Model, means policy.OnInconclusive) {
	for _, checks := range []*[]policy.Check{&p.Validate, &p.StepChecks.Checks, &p.Bake.Checks} {
		*checks = slices.Clone(*checks)
		for i := range *checks {
			if (*checks)[i].Golden != nil {
				(*checks)[i].OnInconclusive = means
			}
		}
	}
}

// steps reads "5%:10m,100%".
func (s *stage) steps(text string) []policy.Step {
	var out []policy.Step
	for _, one := range strings.Split(text, ",") {
		weight, hold, _ := strings.Cut(one, ":")
		f, err := strconv.ParseFloat(strings.TrimSuffix(weight, "%"), 64)
		if err != nil {
			s.t.Fatal(err)
		}
		step := policy.Step{Weight: policy.Weight(f * 100)}
		if hold != "" {
			step.Hold = s.duration(hold)
		}
		out = append(out, step)
	}
	return out
}

// observe reads "blue=2@v1 green=2@v2 problem=…"; what is not named stays.
func (s *stage) observe(args map[string]string) {
	set := s.set
	set.Problem, set.Since = args["problem"], time.Time{}
	if set.Problem != "" {
		set.Since = s.now
	}
	for _, c := range policy.Colors {
		text, ok := args[string(c)]
		if !ok {
			continue
		}
		var all []rollout.Endpoint
		for _, part := range strings.Split(text, "+") {
			n, version, _ := strings.Cut(part, "@")
			all = append(all, instances(c, s.number(n), version)...)
		}
		if c == policy.Blue {
			set.Blue = all
		} else {
			set.Green = all
		}
	}
	s.set = set
}

// report reads "acked=2/3 nack=reason cold=1 stale=1 settled=false generation=4".
func (s *stage) report(args map[string]string) rollout.Report {
	r := allACK(s.s, 3)
	for key, value := range args {
		switch key {
		case "acked":
			acked, connected, _ := strings.Cut(value, "/")
			r.Acked, r.Connected = s.number(acked), s.number(connected)
		case "nack", "type", "before", "sends", "cold", "stale", "settled", "generation":
		default:
			s.t.Fatalf("unknown report setting %q", key)
		}
	}
	s.reportFaults(&r, args)
	for i := range r.Connected - r.Acked - len(r.Rejected) {
		r.Pending = append(r.Pending, rollout.NodeRef{Fleet: "edge", Node: fmt.Sprintf("e%d", i+1), Detail: "has not ACKed its routes"})
	}
	return r
}

func (s *stage) reportFaults(r *rollout.Report, args map[string]string) {
	if reason := args["nack"]; reason != "" {
		r.Acked--
		if on := policy.Color(args["sends"]); on != "" {
			r.Sending[on] = 1
		}
		no := rollout.Rejection{Fleet: "edge", Node: "e9", Type: "route", Reason: reason, At: s.now}
		if args["type"] != "" {
			no.Type = args["type"]
		}
		if args["before"] != "" {
			no.At = no.At.Add(-s.duration(args["before"]))
		}
		r.Rejected = []rollout.Rejection{no}
	}
	if n := args["cold"]; n != "" {
		_, target := s.sides()
		r.Cold[target] = s.number(n)
		r.ColdNodes = map[policy.Color][]rollout.NodeRef{target: {{Fleet: "edge", Node: "e7"}}}
	}
	if n := args["stale"]; n != "" {
		old, _ := s.sides()
		r.MaySend[old] = s.number(n)
		r.Stale = []rollout.Stale{{Fleet: "edge", Node: "e8", Since: s.now, Until: s.now.Add(time.Hour)}}
	}
	r.Settled = args["settled"] != "false"
	if g := args["generation"]; g != "" {
		r.Generation = uint64(s.number(g))
	}
}

// sides is the old color and the target of the last switch, or of the next.
func (s *stage) sides() (old, target policy.Color) {
	if sw := s.s.Switch; sw != nil && (s.s.Phase.Running() || s.s.Phase == rollout.Retiring) {
		return sw.From, sw.To
	}
	return s.s.Live, s.s.Live.Other()
}

func (s *stage) checked(result string, args map[string]string) rollout.Checked {
	run := s.s.CheckRun
	if args["run"] != "" {
		run = uint64(s.number(args["run"]))
	}
	return rollout.Checked{Run: run, Verdicts: verdicts(s.s, rollout.Result(result), args["summary"])}
}

func (s *stage) command(verb rollout.Verb, args map[string]string) rollout.Command {
	actor, named := args["by"]
	if !named {
		actor = "ann"
	}
	s.switches++
	_, force := args["force"]
	_, again := args["again"]
	_, override := args["override"]
	_, now := args["now"]
	_, anyRate := args["any-rate"]
	var before *rollout.Earlier
	if text, ok := args["before"]; ok {
		id, was, _ := strings.Cut(text, ":")
		color, version, _ := strings.Cut(was, "@")
		before = &rollout.Earlier{ID: id, Color: policy.Color(color), Version: version}
	}
	quiet, _ := strconv.ParseFloat(args["quiet"], 64)
	return rollout.Command{
		Again: again, Override: override, Now: now, Groups: strings.Split(args["groups"], ","), Before: before, Quiet: quiet, AnyRate: anyRate,
		Proven: args["proven"],
		Verb:   verb, Actor: actor, Reason: args["reason"], ID: fmt.Sprintf("s%d", s.switches),
		Target: policy.Color(args["target"]), ExpectLive: policy.Color(args["live"]),
		ExpectVersion: args["version"], Force: force,
	}
}

func (s *stage) calendar(p calendar.Plan) calendar.Calendar {
	c, err := calendar.New(p)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *stage) number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *stage) duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

// fields splits a line at spaces outside quotes.
func fields(line string) []string {
	quoted := false
	return strings.FieldsFunc(line, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
}

func arguments(words []string) map[string]string {
	out := map[string]string{}
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		out[key] = strings.Trim(value, `"`)
	}
	return out
}
