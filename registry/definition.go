package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"regexp"
	"strings"
	"unicode/utf8"
)

// definition is one service as a Consul definition file writes it, with status
// as the one key that Consul does not have.
type definition struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	Address string            `json:"address"`
	Port    int               `json:"port"`
	Tags    []string          `json:"tags"`
	Meta    map[string]string `json:"meta"`
	Weights struct {
		Passing *int `json:"passing"`
		Warning *int `json:"warning"`
	} `json:"weights"`
	// Status is what a check would say: passing, warning or critical.
	Status string `json:"status"`

	// Keys of Consul's that mean nothing here; a file written for Consul is
	// taken as it is.
	Check             json.RawMessage `json:"check"`
	Checks            json.RawMessage `json:"checks"`
	Connect           json.RawMessage `json:"connect"`
	EnableTagOverride json.RawMessage `json:"enable_tag_override"`
	Kind              json.RawMessage `json:"kind"`
	Locality          json.RawMessage `json:"locality"`
	Namespace         json.RawMessage `json:"namespace"`
	Partition         json.RawMessage `json:"partition"`
	Proxy             json.RawMessage `json:"proxy"`
	TaggedAddresses   json.RawMessage `json:"tagged_addresses"`
	Token             json.RawMessage `json:"token"`

	at position // of the definition's first byte
}

// maxWeight is Consul's own bound.
const maxWeight = 65535

var (
	statuses = map[string]status{"": passing, "passing": passing, "warning": warning, "critical": critical}
	hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)
)

// instance is what a valid definition means.
func (d definition) instance() instance {
	in := instance{
		id: d.ID, address: d.Address, port: d.Port, tags: d.Tags, meta: d.Meta,
		status: statuses[d.Status], weights: weights{1, 1},
	}
	if w := d.Weights.Passing; w != nil {
		in.weights.passing = *w
	}
	if w := d.Weights.Warning; w != nil {
		in.weights.warning = *w
	}
	return in
}

// fault is a broken rule and the key that breaks it.
type fault struct{ key, text string }

func (f *fault) Error() string { return f.text }

// check finds the first rule that d breaks, and fills in the id.
func (d *definition) check() error {
	if d.ID == "" {
		d.ID = d.Name
	}
	switch _, known := statuses[d.Status]; {
	case d.Name == "":
		return &fault{"name", "service has no name"}
	case d.Address == "":
		return &fault{"address", fmt.Sprintf("service %q has no address; set an IP address or a host name", d.ID)}
	case !isAddress(d.Address):
		return &fault{"address", fmt.Sprintf("service %q: address %q; must be an IP address or a host name", d.ID, d.Address)}
	case d.Port < 1 || d.Port > 65535:
		return &fault{"port", fmt.Sprintf("service %q: port = %d; must be 1 to 65535", d.ID, d.Port)}
	case !isWeight(d.Weights.Passing) || !isWeight(d.Weights.Warning):
		return &fault{"weights", fmt.Sprintf("service %q: weights must be 0 to %d", d.ID, maxWeight)}
	case !known:
		return &fault{"status", fmt.Sprintf("service %q: status %q; must be passing, warning or critical", d.ID, d.Status)}
	}
	return nil
}

func isWeight(w *int) bool { return w == nil || *w >= 0 && *w <= maxWeight }

// isAddress lets no name pass that looks like an IP address and is none.
func isAddress(s string) bool {
	if ip, err := netip.ParseAddr(s); err == nil {
		return usable(ip) == nil
	}
	last := s[strings.LastIndexByte(strings.TrimSuffix(s, "."), '.')+1:]
	return len(s) <= 253 && hostName.MatchString(s) && strings.Trim(last, "0123456789.") != ""
}

// position is a place in a file; line and column count from 1.
type position struct {
	file      string
	line, col int
}

func (p position) String() string { return fmt.Sprintf("%s:%d:%d", p.file, p.line, p.col) }

// position is where the byte at offset stands.
func (t text) position(offset int) position {
	before := t.bytes[:max(0, min(offset, len(t.bytes)))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return position{t.name, bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1}
}

// parse reads {"service": {…}} or {"services": [{…}, …]}. Every error begins
// with file, line and column.
func parse(t text) (definitions, error) {
	if at, err := doubled(t.bytes); err != nil {
		return nil, fmt.Errorf("%s: %w", t.position(at), err)
	}
	p := parser{text: t, dec: json.NewDecoder(bytes.NewReader(t.bytes))}
	if err := p.document(); err != nil {
		return nil, fmt.Errorf("%s: %w", t.position(p.failedAt), err)
	}
	return p.found, nil
}

// parser collects the definitions of one file whose syntax is known to be good.
type parser struct {
	text     text
	dec      *json.Decoder
	found    definitions
	failedAt int
}

func (p *parser) fail(at int, err error) error {
	p.failedAt = at
	return err
}

func (p *parser) document() error {
	if tok, _ := p.dec.Token(); tok != json.Delim('{') {
		return p.fail(0, errors.New(`must be an object with "service" or "services"`))
	}
	for p.dec.More() {
		at := p.next()
		tok, _ := p.dec.Token()
		var err error
		switch tok {
		case "service":
			err = p.service()
		case "services":
			err = p.services()
		default:
			err = p.fail(at, fmt.Errorf(`unknown key %q; must be "service" or "services"`, tok))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) services() error {
	at := p.next()
	if tok, _ := p.dec.Token(); tok != json.Delim('[') {
		return p.fail(at, errors.New(`"services" must be a list`))
	}
	for p.dec.More() {
		if err := p.service(); err != nil {
			return err
		}
	}
	_, err := p.dec.Token() // the closing bracket
	return err
}

func (p *parser) service() error {
	at := p.next()
	var raw json.RawMessage
	if err := p.dec.Decode(&raw); err != nil {
		return p.fail(at, err)
	}
	d := definition{at: p.text.position(at)}
	strict := json.NewDecoder(bytes.NewReader(raw))
	strict.DisallowUnknownFields()
	err := strict.Decode(&d)
	if err == nil {
		err = d.check()
	}
	if err != nil {
		inside, plain := explain(raw, err)
		return p.fail(at+inside, plain)
	}
	p.found = append(p.found, d)
	return nil
}

// next is the offset of the next token's first byte.
func (p *parser) next() int { return skip(p.text.bytes, int(p.dec.InputOffset())) }

func skip(b []byte, at int) int {
	for at < len(b) && strings.IndexByte(" \t\r\n,:", b[at]) >= 0 {
		at++
	}
	return at
}

// kinds are the types of a definition's values as its author knows them.
var kinds = map[reflect.Kind]string{
	reflect.String: "text",
	reflect.Int:    "a whole number",
	reflect.Slice:  "a list",
	reflect.Map:    "an object",
	reflect.Struct: "an object",
}

// explain finds where in a definition an error lies, and takes the names of our
// types out of its text.
func explain(raw []byte, err error) (int, error) {
	var broken *fault
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &broken):
		return keyOffset(raw, broken.key), err
	case errors.As(err, &kind):
		field := kind.Field
		if field == "" {
			return 0, fmt.Errorf("a service must be an object, not a %s", kind.Value)
		}
		return keyOffset(raw, strings.SplitN(field, ".", 2)[0]),
			fmt.Errorf("%s has a %s where %s must be", field, kind.Value, kinds[kind.Type.Kind()])
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return keyOffset(raw, strings.Trim(name, `"`)), fmt.Errorf("unknown key %s of a service", name)
	}
	return 0, err
}

// keyOffset is where the object raw has key; 0 if it has not.
func keyOffset(raw []byte, key string) int {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if tok, _ := dec.Token(); tok != json.Delim('{') {
		return 0
	}
	for dec.More() {
		at := skip(raw, int(dec.InputOffset()))
		tok, err := dec.Token()
		if name, ok := tok.(string); err == nil && ok && strings.EqualFold(name, key) {
			return at
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return 0
		}
	}
	return 0
}

// doubled checks the syntax of the whole text and that no object has a key
// twice, which encoding/json would let pass. It returns the offset of the error.
func doubled(b []byte) (int, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	at := 0
	if err := walk(dec, b, &at); err != nil {
		return at, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return skip(b, int(dec.InputOffset())), errors.New("text after the end of the JSON object")
	}
	return 0, nil
}

// walk reads one JSON value, however deep; at follows for the error's sake.
func walk(dec *json.Decoder, b []byte, at *int) error {
	var open []map[string]bool // keys seen of each open object; nil for a list
	for {
		*at = skip(b, int(dec.InputOffset()))
		wantsKey := len(open) > 0 && open[len(open)-1] != nil && dec.More() && isKey(dec, b)
		tok, err := dec.Token()
		if err != nil {
			return syntax(err, at, b)
		}
		switch tok {
		case json.Delim('{'):
			open = append(open, map[string]bool{})
		case json.Delim('['):
			open = append(open, nil)
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		default:
			name, _ := tok.(string)
			if wantsKey && open[len(open)-1][name] {
				return fmt.Errorf("key %q is doubled", name)
			}
			if wantsKey {
				open[len(open)-1][name] = true
			}
		}
		if len(open) == 0 {
			return nil
		}
	}
}

// isKey reports whether the next token of an object is a key: what comes after
// a colon is a value.
func isKey(dec *json.Decoder, b []byte) bool {
	rest := bytes.TrimLeft(b[dec.InputOffset():], " \t\r\n")
	return len(rest) > 0 && rest[0] != ':'
}

func syntax(err error, at *int, b []byte) error {
	var s *json.SyntaxError
	switch {
	case errors.As(err, &s):
		// The offset is that of the bad character, or of the one after it.
		*at = max(*at, int(s.Offset)-1)
		return errors.New(s.Error())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		*at = len(b)
		return errors.New("the JSON ends too early")
	}
	return err
}
