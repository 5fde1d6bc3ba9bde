package policy

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// headers are what every prediction carries besides what the protocol needs.
func (b *builder) headers(path string, raw []rawHeader) []Header {
	var headers []Header
	var names []string
	for i, written := range raw {
		at := item(path, i)
		h := Header{Name: strings.ToLower(written.Name)}
		if !b.marks.has(at + ".name") {
			b.require(at+".name", "write the name of the header")
		} else {
			b.refuse(at+".name", RuleHeaderSyntax, written.Name, predictHeaderFault(h.Name))
		}
		if (written.Value != nil) == b.marks.has(at+".secret") {
			b.problem(at, RuleContradiction, "%s needs exactly one of value and secret", shown(at))
		}
		h.Value = b.text(at+".value", written.Value, "", RuleTextSyntax, headerValueFault)
		if written.Value != nil && slices.Contains(secretHeaders, h.Name) {
			b.problem(at+".value", RuleSecret, "%s writes the header %s out; a policy is no place for a secret, so write secret: {env: NAME} or {file: NAME}", shown(at), h.Name)
		}
		h.Secret = b.secret(at+".secret", written.Secret)
		if slices.Contains(names, h.Name) {
			b.problem(at, RuleDuplicateValue, "%s is the second header named %s; remove one", shown(at), short(h.Name))
		}
		names = append(names, h.Name)
		headers = append(headers, h)
	}
	return headers
}

// secretHeaders hold secrets and nothing else.
var secretHeaders = []string{"authorization", "proxy-authorization", "cookie", "api-key", "x-api-key"}

// protocolHeaders are written by the protocols themselves.
var protocolHeaders = []string{"accept", "accept-encoding", "content-type", "content-encoding", "inference-header-content-length", "user-agent", "expect"}

func predictHeaderFault(name string) string {
	switch {
	case slices.Contains(protocolHeaders, name) || strings.HasPrefix(name, "grpc-"):
		return "the protocol writes this header itself"
	case strings.HasSuffix(name, "-bin"):
		return "a name that ends with -bin is for binary gRPC metadata"
	}
	return headerFault(name)
}

func headerValueFault(value string) string {
	switch {
	case len(value) > 4096:
		return "a header value has at most 4096 bytes"
	case value == "" || strings.TrimSpace(value) != value || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
		return "a header value is ASCII text on one line, without spaces at its ends"
	}
	return ""
}

// secretPrefix keeps policies away from the rest of the server's environment.
const secretPrefix = "GREENLIGHT_SECRET_"

var secretEnv = regexp.MustCompile(`^` + secretPrefix + `[A-Z0-9_]{1,128}$`)

// secret refers to a secret. Neither is looked at here: who writes policies
// may not learn by their problems what the server has.
func (b *builder) secret(path string, raw *rawSecret) *Secret {
	if raw == nil {
		return nil
	}
	if (raw.Env != nil) == (raw.File != nil) {
		b.problem(path, RuleContradiction, "%s needs exactly one of env and file", shown(path))
	}
	return &Secret{
		Env:  b.text(path+".env", raw.Env, "", RuleSecret, secretEnvFault),
		File: b.text(path+".file", raw.File, "", RuleSecret, secretFileFault),
	}
}

func secretEnvFault(name string) string {
	if !secretEnv.MatchString(name) {
		return "a secret's variable is named " + secretPrefix + "X, with A-Z, 0-9 and _ for X"
	}
	return ""
}

func secretFileFault(name string) string {
	switch {
	case filepath.Clean(name) == "." || len(name) > 1024 || strings.HasSuffix(name, "/") || strings.ContainsAny(name, "\x00\n\\"):
		return "name a file, relative to the server's folder of secrets"
	case filepath.IsAbs(name) || !filepath.IsLocal(name) || slices.Contains(strings.Split(name, "/"), ".."):
		return "a secret's file is relative to the server's folder of secrets and does not leave it"
	}
	return ""
}
