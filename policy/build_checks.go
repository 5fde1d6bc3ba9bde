package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const maxChecks = 50

// checkList is a list of checks on its way: whether each says itself what an
// inconclusive verdict means is still to be seen.
type checkList struct {
	path    string
	checks  []Check
	unclear bool // an entry has a problem, so not all figures are known
}

// validate is the checks before the first weight. It always holds exactly one
// endpoints check: a policy that writes none gets the default in front.
func (b *builder) validate(m *Model, raw []rawCheck) checkList {
	list := b.checks("spec.validate", m, raw)
	if slices.ContainsFunc(list.checks, func(c Check) bool { return c.Endpoints != nil }) {
		return list
	}
	preset := Check{Name: "endpoints", Timeout: checkTimeout("endpoints"), Endpoints: b.endpoints("", &rawEndpoints{})}
	if slices.ContainsFunc(list.checks, func(c Check) bool { return c.Name == preset.Name }) {
		b.problem("spec.validate", RuleDuplicateCheck, "validate names another check endpoints; that is the name of the endpoints check that every model has")
	}
	list.checks = slices.Insert(list.checks, 0, preset)
	return list
}

// repeated is what the steps and the bake check by default: what is cheap
// enough to be measured again every few seconds. Of the endpoints only the least
// number counts then. The share of the other color's is asked at each gate, and
// rollback.endpointsBelow says how many may be lost: an other color that grows is
// no reason to take users back.
func (l checkList) repeated(path string) checkList {
	again := checkList{path: path, checks: []Check{}}
	for _, c := range l.checks {
		if c.Endpoints != nil {
			c.Endpoints = &EndpointsCheck{Min: c.Endpoints.Min}
		}
		if c.Endpoints != nil || c.Ready != nil || c.Golden != nil || c.Prometheus != nil {
			again.checks = append(again.checks, c)
		}
	}
	return again
}

// settled fills in what an inconclusive verdict means where none is written.
func (l checkList) settled(preset OnInconclusive) []Check {
	for i := range l.checks {
		if l.checks[i].OnInconclusive == "" {
			l.checks[i].OnInconclusive = preset
		}
	}
	return l.checks
}

// checks builds a list of checks and gives the nameless ones their names.
func (b *builder) checks(path string, m *Model, raw []rawCheck) checkList {
	list, before := checkList{path: path, checks: []Check{}}, len(b.problems)
	if len(raw) > maxChecks {
		b.problem(path, RuleTooLarge, "%s has %d checks; at most %d", shown(path), len(raw), maxChecks)
		list.unclear = true
		return list
	}
	for i := range raw {
		if check, ok := b.check(item(path, i), m, &raw[i]); ok {
			list.checks = append(list.checks, check)
		}
	}
	b.names(path, list.checks)
	list.unclear = len(b.problems) > before || b.unreadChecks(path)
	return list
}

// unreadChecks reports whether something below path could not be read that may
// give a figure.
func (b *builder) unreadChecks(path string) bool {
	for broken := range b.marks.broken {
		if strings.HasPrefix(broken, path) && !strings.HasSuffix(broken, ".expression") {
			return true
		}
	}
	return false
}

// check builds one check; not if the policy does not say which.
func (b *builder) check(path string, m *Model, raw *rawCheck) (Check, bool) {
	kinds := b.kinds(path)
	if len(kinds) != 1 {
		says := "has no check"
		if len(kinds) > 1 {
			says = "has " + strings.Join(kinds, " and ")
		}
		b.problem(path, RuleCheckKind, "%s %s; write exactly one of %s", shown(path), says, strings.Join(Kinds[:], ", "))
		return Check{}, false
	}
	kind := kinds[0]
	c := Check{
		Name:           b.text(path+".name", raw.Name, "", RuleNameSyntax, nameFault),
		Timeout:        b.wait(path+".timeout", raw.Timeout, checkTimeout(kind), 10*time.Millisecond, day),
		Retries:        b.count(path+".retries", raw.Retries, checkRetries(kind), 0, 10),
		OnInconclusive: OnInconclusive(b.choice(path+".onInconclusive", raw.OnInconclusive, "", string(InconclusiveFails), string(InconclusivePasses), string(InconclusiveHolds))),
	}
	path += "." + kind
	switch kind {
	case "endpoints":
		c.Endpoints = b.endpoints(path, orEmpty(raw.Endpoints))
	case "ready":
		c.Ready = b.ready(path, orEmpty(raw.Ready))
	case "golden":
		c.Golden = b.golden(path, m.Predict, orEmpty(raw.Golden))
	case "quality":
		c.Quality = b.quality(path, m.Predict, orEmpty(raw.Quality))
	case "drift":
		c.Drift = b.drift(path, m.Predict, orEmpty(raw.Drift))
	case "latency":
		c.Latency = b.latency(path, m.Predict.Load, orEmpty(raw.Latency))
	case "prometheus":
		c.Prometheus = b.prometheus(path, orEmpty(raw.Prometheus))
	case "webhook":
		c.Webhook = b.askedWebhook(path, orEmpty(raw.Webhook))
	case "expression":
		c.Expression = b.expression(path, orEmpty(raw.Expression))
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
	return slices.DeleteFunc(slices.Clone(Kinds[:]), func(kind string) bool {
		return !b.marks.has(path + "." + kind)
	})
}

func checkTimeout(kind string) time.Duration {
	switch kind {
	case "golden":
		return 2 * time.Minute
	case "quality", "drift", "latency":
		return 10 * time.Minute
	}
	return 30 * time.Second
}

// checkRetries: what asks others than the model is asked again by default.
func checkRetries(kind string) int {
	if kind == "prometheus" || kind == "webhook" {
		return 2
	}
	return 0
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
