package policy

import (
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// What checks ask of others than the model.

// queryWord finds what looks like a placeholder. ${name} is left alone: PromQL
// uses it in replacements.
var queryWord = regexp.MustCompile(`\$[A-Za-z_][A-Za-z0-9_]*`)

var queryWords = []string{"$color", "$model", "$version"}

func (b *builder) prometheus(path string, raw *rawPrometheus) *PrometheusCheck {
	p := &PrometheusCheck{
		Query: raw.Query,
		Token: b.secret(path+".token", raw.Token),
		Min:   b.limit(path+".min", raw.Min, -math.MaxFloat64, math.MaxFloat64),
		Max:   b.limit(path+".max", raw.Max, -math.MaxFloat64, math.MaxFloat64),
	}
	if !b.marks.has(path + ".server") {
		b.require(path+".server", "write the server's URL, like http://prometheus:9090")
	} else {
		p.Server = b.url(path+".server", raw.Server, serverFault)
	}
	if raw.OfLive != nil {
		most := b.ratio(path+".ofLive", raw.OfLive, 0, 0, mostRatio)
		p.OfLive = &most
	}
	if p.Min == nil && p.Max == nil && p.OfLive == nil {
		b.require(path+".max", "write at least one of min, max and ofLive")
	}
	b.ordered(path, p.Min, p.Max)
	if !b.marks.has(path + ".query") {
		b.require(path+".query", "write PromQL that gives one number")
	} else {
		b.query(path, p)
	}
	return p
}

func (b *builder) query(path string, p *PrometheusCheck) {
	at := path + ".query"
	if strings.TrimSpace(p.Query) == "" || len(p.Query) > 4096 {
		b.refuse(at, RuleTextSyntax, p.Query, "write 1 to 4096 characters of PromQL")
	}
	words := queryWord.FindAllString(p.Query, -1)
	for _, word := range words {
		if !slices.Contains(queryWords, word) {
			b.problem(at, RuleUnknownValue, "%s holds %s; replaced are %s%s", shown(at), short(word), strings.Join(queryWords, ", "), didYouMean(word, queryWords))
		}
	}
	if p.OfLive != nil && !slices.Contains(words, "$color") && !slices.Contains(words, "$version") {
		b.problem(path+".ofLive", RuleContradiction, "%s compares two colors, and the query asks the same of both; write $color or $version in it", shown(path+".ofLive"))
	}
}

// serverFault is for the base of an API, to which paths are added.
func serverFault(text string) string {
	if says := urlFault(text); says != "" {
		return says
	}
	if address, err := url.Parse(text); err == nil && address.RawQuery != "" {
		return "a server's URL has no ?query"
	}
	return ""
}

func (b *builder) askedWebhook(path string, raw *rawWebhook) *WebhookCheck {
	w := &WebhookCheck{Secret: b.secret(path+".secret", raw.Secret)}
	if !b.marks.has(path + ".url") {
		b.require(path+".url", "write where the switch and its figures are posted")
		return w
	}
	w.URL = b.url(path+".url", raw.URL, urlFault)
	return w
}

// url takes a URL. A password in it is refused without being repeated:
// problems go to logs and to the status.
func (b *builder) url(path, written string, check func(string) string) string {
	value := written
	if address, err := url.Parse(written); err == nil {
		value = address.Redacted()
	} else if at := strings.LastIndexByte(written, '@'); at >= 0 {
		value = "…" + written[at:]
	}
	b.refuse(path, RuleURLSyntax, value, check(written))
	return written
}
