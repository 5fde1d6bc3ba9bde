package policy

import "strings"

func (b *builder) retire(raw *rawRetire) Retire {
	if raw == nil {
		raw = &rawRetire{}
	}
	off, ways := truth(raw.Off, false), b.waysToRetire()
	if off && (raw.After != nil || len(ways) > 0 || raw.Repurpose != nil) {
		b.problem("spec.retire.off", RuleContradiction, "retire.off = true, yet after, webhook, consul, nomad or repurpose is written; remove one or the other")
	}
	if raw.Repurpose != nil && len(ways) > 0 {
		b.problem("spec.retire.repurpose", RuleContradiction, "retire.repurpose keeps the old color, and retire.%s lets it go; remove one of the two", ways[0])
	}
	if len(ways) > 1 {
		b.problem("spec.retire."+ways[1], RuleContradiction, "retire has %s; instances are let go in one way", strings.Join(ways, " and "))
	}
	if raw.Secret != nil && raw.Webhook == nil {
		b.problem("spec.retire.secret", RuleContradiction, "retire.secret signs what retire.webhook is sent, and there is none; write webhook or remove secret")
	}
	return Retire{
		Off:       off,
		After:     b.wait("spec.retire.after", raw.After, day, 0, aYear),
		Webhook:   b.webhook("spec.retire.webhook", raw.Webhook),
		Secret:    b.secret("spec.retire.secret", raw.Secret),
		Consul:    b.consulRetire(raw.Consul),
		Nomad:     b.nomadRetire(raw.Nomad),
		Repurpose: b.choice("spec.retire.repurpose", raw.Repurpose, "", repurposeStaging) != "",
	}
}

// repurposeStaging is the duty that an old color can be given.
const repurposeStaging = "staging"

func (b *builder) webhook(path string, written *string) string {
	if written == nil {
		return ""
	}
	return b.url(path, *written, urlFault)
}

// waysToRetire are the ways to let instances go that are written; Consul's needs no value.
func (b *builder) waysToRetire() []string {
	var out []string
	for _, way := range []string{"webhook", "consul", "nomad"} {
		if b.marks.has("spec.retire." + way) {
			out = append(out, way)
		}
	}
	return out
}

func (b *builder) consulRetire(raw *rawConsulRetire) *ConsulRetire {
	const path = "spec.retire.consul"
	if raw == nil {
		return nil
	}
	return &ConsulRetire{
		Scheme: b.choice(path+".scheme", raw.Scheme, "http", "http", "https"),
		Port:   b.count(path+".port", raw.Port, 8500, 1, 65535),
		Token:  b.secret(path+".token", raw.Token),
	}
}

func (b *builder) nomadRetire(raw *rawNomadRetire) *NomadRetire {
	const path = "spec.retire.nomad"
	if raw == nil {
		return nil
	}
	jobs := orEmpty(raw.Jobs)
	n := &NomadRetire{Jobs: map[Color]string{}, Token: b.secret(path+".token", raw.Token)}
	for _, w := range []struct {
		key   string
		raw   *string
		into  func(string)
		must  string
		fault func(string) string
	}{
		{"address", raw.Address, func(v string) { n.Address = v }, "write the URL of Nomad's HTTP API", nil},
		{"group", raw.Group, func(v string) { n.Group = v }, "write the task group that is scaled", foreignFault},
		{"jobs.blue", jobs.Blue, func(v string) { n.Jobs[Blue] = v }, "write the job of the blue instances", foreignFault},
		{"jobs.green", jobs.Green, func(v string) { n.Jobs[Green] = v }, "write the job of the green instances", foreignFault},
		{"namespace", raw.Namespace, func(v string) { n.Namespace = v }, "", foreignFault},
		{"region", raw.Region, func(v string) { n.Region = v }, "", foreignFault},
	} {
		at := path + "." + w.key
		switch {
		case w.raw == nil && w.must != "":
			b.require(at, w.must)
		case w.raw == nil:
		case w.fault == nil:
			w.into(b.url(at, *w.raw, urlFault))
		default:
			w.into(b.text(at, w.raw, "", RuleNameSyntax, w.fault))
		}
	}
	if n.Jobs[Blue] != "" && n.Jobs[Blue] == n.Jobs[Green] {
		b.problem(path+".jobs.green", RuleContradiction, "retire.nomad.jobs: both colors are %q; to let one go would let both go", n.Jobs[Blue])
	}
	return n
}
