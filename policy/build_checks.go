package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	maxChecks        = 50
	defaultTolerance = 1e-6
)

// validate is the checks before the first weight. It always holds exactly one
// endpoints check: a policy that writes none gets the default in front.
func (b *builder) validate(model string, raw []rawCheck) []Check {
	checks := b.checks("spec.validate", model, raw)
	if slices.ContainsFunc(checks, func(c Check) bool { return c.Endpoints != nil }) {
		return checks
	}
	preset := Check{Name: "endpoints", Timeout: checkTimeout("endpoints"), Endpoints: b.endpoints("", &rawEndpoints{})}
	if slices.ContainsFunc(checks, func(c Check) bool { return c.Name == preset.Name }) {
		b.problem("spec.validate", RuleDuplicateCheck, "validate names another check endpoints; that is the name of the endpoints check that every model has")
	}
	return slices.Insert(checks, 0, preset)
}

// checks builds a list of checks and gives the nameless ones their names.
func (b *builder) checks(path, model string, raw []rawCheck) []Check {
	checks := []Check{}
	if len(raw) > maxChecks {
		b.problem(path, RuleTooLarge, "%s has %d checks; at most %d", shown(path), len(raw), maxChecks)
		return checks
	}
	for i := range raw {
		if check, ok := b.check(item(path, i), model, &raw[i]); ok {
			checks = append(checks, check)
		}
	}
	b.names(path, checks)
	return checks
}

// check builds one check; not if the policy does not say which.
func (b *builder) check(path, model string, raw *rawCheck) (Check, bool) {
	kinds := b.kinds(path)
	if len(kinds) != 1 {
		says := "has no check"
		if len(kinds) > 1 {
			says = "has " + strings.Join(kinds, " and ")
		}
		b.problem(path, RuleCheckKind, "%s %s; write exactly one of endpoints, ready and golden", shown(path), says)
		return Check{}, false
	}
	kind := kinds[0]
	c := Check{
		Name:    b.text(path+".name", raw.Name, "", RuleNameSyntax, nameFault),
		Timeout: b.wait(path+".timeout", raw.Timeout, checkTimeout(kind), 10*time.Millisecond, day),
	}
	switch kind {
	case "endpoints":
		c.Endpoints = b.endpoints(path+".endpoints", orEmpty(raw.Endpoints))
	case "ready":
		c.Ready = b.ready(path+".ready", orEmpty(raw.Ready))
	case "golden":
		c.Golden = b.golden(path+".golden", model, orEmpty(raw.Golden))
	}
	return c, true
}

// orEmpty stands in for what was written but could not be read.
func orEmpty[T any](raw *T) *T {
	if raw == nil {
		return new(T)
	}
	return raw
}

// kinds lists the checks that one list entry asks for.
func (b *builder) kinds(path string) []string {
	return slices.DeleteFunc([]string{"endpoints", "ready", "golden"}, func(kind string) bool {
		return !b.marks.has(path + "." + kind)
	})
}

func checkTimeout(kind string) time.Duration {
	if kind == "golden" {
		return 2 * time.Minute
	}
	return 30 * time.Second
}

// names gives every nameless check its kind's name, numbered from the second
// of the kind on, and refuses names that are taken and second endpoints checks.
func (b *builder) names(path string, checks []Check) {
	taken, ofKind := map[string]bool{}, map[string]int{}
	for i := range checks {
		c := &checks[i]
		ofKind[c.Kind()]++
		if c.Name == "" {
			c.Name = c.Kind()
			if n := ofKind[c.Kind()]; n > 1 {
				c.Name = fmt.Sprintf("%s-%d", c.Kind(), n)
			}
		}
		if taken[c.Name] {
			b.problem(path, RuleDuplicateCheck, "%s has two checks named %s; give one another name", shown(path), short(c.Name))
		}
		taken[c.Name] = true
	}
	if ofKind["endpoints"] > 1 {
		b.problem(path, RuleDuplicateCheck, "%s has %d endpoints checks; one says all, so write min and ofLive in one", shown(path), ofKind["endpoints"])
	}
}

func (b *builder) endpoints(path string, raw *rawEndpoints) *EndpointsCheck {
	return &EndpointsCheck{
		Min:    b.count(path+".min", raw.Min, 1, 1, 100_000),
		OfLive: b.weight(raw.OfLive, Full),
	}
}

// ready asks by HTTP or by gRPC, never both.
func (b *builder) ready(path string, raw *rawReady) *ReadyCheck {
	c := &ReadyCheck{GRPC: truth(raw.GRPC, false)}
	switch {
	case c.GRPC && raw.Path != nil:
		b.problem(path, RuleContradiction, "%s has path and grpc: true; keep one", shown(path))
	case !c.GRPC && raw.Path == nil:
		b.require(path+".path", "write the path of an HTTP GET, or grpc: true for the gRPC health protocol")
	case !c.GRPC && raw.Service != nil:
		b.problem(path+".service", RuleContradiction, "%s.service is for grpc: true; remove it", shown(path))
	}
	c.Path = b.text(path+".path", raw.Path, "", RulePathSyntax, queryPathFault)
	c.Service = b.text(path+".service", raw.Service, "", RuleTextSyntax, textFault)
	return c
}

func queryPathFault(path string) string { return pathFault(path, true) }

func (b *builder) golden(path, model string, raw *rawGolden) *GoldenCheck {
	c := &GoldenCheck{
		Protocol:  PredictProtocol(b.choice(path+".protocol", raw.Protocol, string(OpenInference), string(OpenInference), string(PlainJSON))),
		Path:      b.text(path+".path", raw.Path, "/v2/models/"+model+"/infer", RulePathSyntax, queryPathFault),
		Tolerance: defaultTolerance,
	}
	if c.Protocol == PlainJSON && raw.Path == nil {
		b.require(path+".path", "plain JSON has no usual path; write the one to POST to")
	}
	if raw.Tolerance != nil {
		c.Tolerance = float64(*raw.Tolerance)
		if c.Tolerance < 0 || c.Tolerance > 1 {
			b.problem(path+".tolerance", RuleNumberRange, "%s.tolerance = %g; it is 0 to 1", shown(path), c.Tolerance)
		}
	}
	if !b.marks.has(path + ".file") {
		b.require(path+".file", "name the JSONL file with requests and expected answers")
	} else {
		c.File = b.file(path+".file", raw.File)
	}
	return c
}
