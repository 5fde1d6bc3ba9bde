package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// Load reads a policy file or folder that a file of tests names.
type Load func(path string) policy.Reading

// Test is one test, ready to be run.
type Test struct {
	Name  string
	Model string
	File  string
	Line  int

	start    time.Time
	given    *rawGiven
	policies policy.Reading
	entries  []entry
}

// entry is one moment of a test.
type entry struct {
	*rawEntry
	at       time.Duration
	line     int
	policies *policy.Reading // that change then; nil if they do not
	lines    map[string]int  // of expectations, by their key
}

// parser turns what is written into tests, and notes everything that is wrong.
type parser struct {
	file     string
	strict   *policy.Strict
	load     Load
	loaded   map[string]policy.Reading
	problems []policy.Problem
}

// Parse reads a file of tests and the policies that it names. Either there are
// problems, with their places in the files, or there are tests.
func Parse(file string, data []byte, load Load) ([]Test, []policy.Problem) {
	var raw rawFile
	strict, problems := policy.ReadStrict(file, data, "a file of policy tests", &raw)
	p := &parser{file: file, strict: strict, load: load, loaded: map[string]policy.Reading{}, problems: problems}
	var tests []Test
	if raw.Tests == nil && len(problems) == 0 {
		p.refuse("", policy.RuleRequired, "tests is missing; write at least one")
	}
	names := map[string]bool{}
	for i := range raw.Tests {
		t := p.test(&raw.Tests[i], fmt.Sprintf("tests[%d]", i), raw.Policies)
		if names[t.Name] && t.Name != "" {
			p.refuse(fmt.Sprintf("tests[%d].name", i), policy.RuleDuplicateValue, "another test has the name %q", t.Name)
		}
		names[t.Name] = true
		tests = append(tests, t)
	}
	if len(p.problems) > 0 {
		return nil, policy.SortProblems(p.problems)
	}
	return tests, nil
}

// refuse notes a problem, unless it follows from one that is noted already.
func (p *parser) refuse(path, rule, format string, args ...any) {
	if !p.strict.Unread(path) {
		p.problems = append(p.problems, p.strict.Problem(path, rule, format, args...))
	}
}

// need notes that a key is missing in what stands at path.
func (p *parser) need(path, key string, there bool) {
	if !there && !p.strict.Unread(path+"."+key) {
		p.refuse(path, policy.RuleRequired, "%s is missing", key)
	}
}

func (p *parser) test(raw *rawTest, path string, policies *string) Test {
	t := Test{File: p.file, Line: p.strict.Line(path), start: start, given: raw.Given}
	p.need(path, "name", raw.Name != nil && *raw.Name != "")
	p.need(path, "timeline", len(raw.Timeline) > 0)
	t.Name = value(raw.Name, "")
	if raw.Start != nil {
		t.start = time.Time(*raw.Start)
	}
	named, from := raw.Policies, path+".policies"
	if named == nil {
		named, from = policies, "policies"
	}
	if named == nil {
		p.refuse(path, policy.RuleRequired, "policies is missing; name a policy file or folder for the test, or for the whole file")
		return t
	}
	t.policies = p.policies(from, *named)
	t.Model = p.model(raw, path, t.policies)
	for i := range raw.Timeline {
		e := p.entry(&raw.Timeline[i], fmt.Sprintf("%s.timeline[%d]", path, i))
		if n := len(t.entries); e.At != nil && n > 0 && e.at < t.entries[n-1].at {
			p.refuse(fmt.Sprintf("%s.timeline[%d].at", path, i), policy.RuleContradiction, "at = %s is before the entry above it, %s", e.at, t.entries[n-1].at)
		}
		t.entries = append(t.entries, e)
	}
	p.names(raw, path, &t)
	if raw.Given != nil {
		p.traffic(raw.Given.Traffic, path+".given.traffic")
	}
	return t
}

// traffic refuses latencies that no distribution has.
func (p *parser) traffic(t *rawTraffic, path string) {
	if t == nil {
		return
	}
	p.latency(t.Latency, path+".latency")
	for _, c := range policy.Colors {
		if b := t.of(c); b != nil {
			p.latency(b.Latency, path+"."+string(c)+".latency")
		}
	}
}

func (p *parser) latency(l *rawLatency, path string) {
	if l == nil {
		return
	}
	var last span
	for _, q := range []struct {
		key   string
		value *span
	}{{"p50", l.P50}, {"p90", l.P90}, {"p99", l.P99}} {
		switch {
		case q.value == nil:
			continue
		case *q.value == 0:
			p.refuse(path+"."+q.key, policy.RuleDurationRange, "%s = 0s; it is more than 0", q.key)
		case *q.value < last:
			p.refuse(path+"."+q.key, policy.RuleContradiction, "%s = %s is less than the quantile before it", q.key, time.Duration(*q.value))
		}
		last = *q.value
	}
}

// policies reads what a path means, once.
func (p *parser) policies(at, path string) policy.Reading {
	if r, known := p.loaded[path]; known {
		return r
	}
	r := p.load(path)
	p.loaded[path] = r
	if set := policy.Merge(policy.Set{}, r, time.Time{}); len(set.Problems) > 0 {
		p.refuse(at, policy.RuleUnreadable, "policies = %s; it has problems, which are told as well", path)
		p.problems = append(p.problems, set.Problems...)
	}
	return r
}

// model is the one that is tested.
func (p *parser) model(raw *rawTest, path string, r policy.Reading) string {
	var names []string
	for _, m := range r.Models() {
		names = append(names, m.Name)
	}
	switch {
	case raw.Model != nil && !slices.Contains(names, *raw.Model):
		if len(names) > 0 {
			p.refuse(path+".model", policy.RuleUnknownValue, "model = %s; the policies have %s%s", *raw.Model, strings.Join(names, ", "), policy.DidYouMean(*raw.Model, names))
		}
	case raw.Model != nil:
		return *raw.Model
	case len(names) == 1:
		return names[0]
	case len(names) > 1:
		p.refuse(path, policy.RuleRequired, "model is missing; the policies have several: %s", strings.Join(names, ", "))
	}
	return ""
}

func (p *parser) entry(raw *rawEntry, path string) entry {
	e := entry{rawEntry: raw, line: p.strict.Line(path), lines: map[string]int{}}
	p.need(path, "at", raw.At != nil)
	e.at = time.Duration(value(raw.At, 0))
	if raw.Policies != nil {
		r := p.policies(path+".policies", *raw.Policies)
		e.policies = &r
	}
	p.traffic(raw.Traffic, path+".traffic")
	if raw.Command != nil {
		p.command(raw.Command, path+".command")
	}
	if n := raw.Nack; n != nil {
		p.need(path+".nack", "reason", n.Reason != nil && *n.Reason != "")
		if n.Type != nil && !slices.Contains(nackTypes, *n.Type) {
			p.refuse(path+".nack.type", policy.RuleUnknownValue, "type = %s; it is one of %s", *n.Type, strings.Join(nackTypes, ", "))
		}
	}
	for _, x := range e.expectations() {
		at := path + "." + x.key
		e.lines[x.key] = p.strict.Line(at)
		p.expectation(x, at, raw.Command != nil)
	}
	return e
}

func (p *parser) command(c *rawCommand, path string) {
	p.need(path, "verb", c.Verb != nil)
	if c.Verb == nil {
		return
	}
	v := rollout.Verb(*c.Verb)
	only := func(key string, written bool, of ...rollout.Verb) {
		if written && !slices.Contains(of, v) {
			p.refuse(path+"."+key, policy.RuleContradiction, "%s says nothing to a %s", key, v)
		}
	}
	only("target", c.Target != nil, rollout.Start)
	only("expectLive", c.ExpectLive != nil, rollout.Start)
	only("expectVersion", c.ExpectVersion != nil, rollout.Start)
	only("again", c.Again != nil, rollout.Start)
	only("override", c.Override != nil, rollout.Start)
	only("now", c.Now != nil, rollout.Start, rollout.Promote)
	only("groups", c.Groups != nil, rollout.Approve)
	only("force", c.Force != nil, rollout.Start, rollout.RollBack)
	only("before", c.Before != nil, rollout.RollBack)
	only("below", c.Below != nil, rollout.Practise)
	only("anyRate", c.AnyRate != nil, rollout.Practise)
}

// expected is one of an entry's expectations.
type expected struct {
	key string // expect, eventually, never or always
	*rawExpect
}

func (e entry) expectations() []expected {
	var out []expected
	for _, x := range []expected{{"expect", e.Expect}, {"eventually", e.Eventually}, {"never", e.Never}, {"always", e.Always}} {
		if x.rawExpect != nil {
			out = append(out, x)
		}
	}
	return out
}

func (p *parser) expectation(x expected, path string, command bool) {
	if x.isEmpty() && !p.strict.UnreadIn(path) {
		p.refuse(path, policy.RuleRequired, "%s expects nothing; write what, like phase or weights", x.key)
	}
	if x.key == "eventually" {
		p.need(path, "within", x.Within != nil)
	} else if x.Within != nil {
		p.refuse(path+".within", policy.RuleContradiction, "within belongs to eventually")
	}
	if x.For != nil && x.key != "never" && x.key != "always" {
		p.refuse(path+".for", policy.RuleContradiction, "for belongs to never and always")
	}
	if x.Refused != nil && (x.key != "expect" || !command) {
		p.refuse(path+".refused", policy.RuleContradiction, "refused belongs to the expect of an entry with a command")
	}
	if w := x.Weights; w != nil && w.Blue == nil && w.Green == nil {
		p.refuse(path+".weights", policy.RuleRequired, "weights names no color")
	} else if w != nil && w.Blue != nil && w.Green != nil && policy.Weight(*w.Blue+*w.Green) != policy.Full {
		p.refuse(path+".weights", policy.RuleContradiction, "the weights do not add up to 100%%")
	}
	for i, tr := range x.Transitions {
		p.need(fmt.Sprintf("%s.transitions[%d]", path, i), "phase", tr.Phase != nil)
	}
}

// names refuses checks and nodes that the model does not have.
func (p *parser) names(raw *rawTest, path string, t *Test) {
	if t.Model == "" {
		return
	}
	checks, fleets := p.known(t)
	look := func(given map[string]rawCheck, at string) {
		for name := range given {
			if !slices.Contains(checks, name) {
				p.refuse(at+"."+name, policy.RuleUnknownValue, "no check of %s is named %s%s; it has %s, and all means each",
					t.Model, name, policy.DidYouMean(name, checks), strings.Join(checks[1:], ", "))
			}
		}
	}
	if raw.Given != nil {
		look(raw.Given.Checks, path+".given.checks")
	}
	for i, e := range raw.Timeline {
		at := fmt.Sprintf("%s.timeline[%d]", path, i)
		look(e.Checks, at+".checks")
		if e.Nack == nil || e.Nack.Node == nil {
			continue
		}
		fleet, number, _ := cutLast(*e.Nack.Node, "-")
		if _, err := strconv.Atoi(number); err != nil || !slices.Contains(fleets, fleet) {
			p.refuse(at+".nack.node", policy.RuleUnknownValue, "node = %s; nodes are named like %s-1", *e.Nack.Node, fleets[0])
		}
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// known is the checks and the fleets that the model has under any policy of the test;
// the first check is "all".
func (p *parser) known(t *Test) (checks, fleets []string) {
	checks = []string{allChecks}
	readings := []policy.Reading{t.policies}
	for _, e := range t.entries {
		if e.policies != nil {
			readings = append(readings, *e.policies)
		}
	}
	for _, r := range readings {
		for _, m := range r.Models() {
			if m.Name != t.Model {
				continue
			}
			for _, c := range slices.Concat(m.Validate, m.StepChecks.Checks, m.Bake.Checks, rollout.RouteChecks(m)) {
				if !slices.Contains(checks, c.Name) {
					checks = append(checks, c.Name)
				}
			}
			fleets = append(fleets, m.Route.Fleets...)
		}
	}
	return checks, fleets
}

// allChecks stands for every check.
const allChecks = "all"

// value is what p points to, or otherwise.
func value[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
