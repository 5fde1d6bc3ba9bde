package predict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/theory/jsonpath"

	"greenlight/check/dataset"
)

// wholeRow is the placeholder of a whole row.
const wholeRow = "@row"

// template is any JSON API: its requests are made of a template, its answers
// read by JSONPaths. The template is taken apart once; cells are put in as
// values, so that none can change the request around it.
type template struct {
	*plan
	plainJSON
	segments []segment
	row      []field // of wholeRow
	paths    []answerPath
}

// segment is text as it stands, and what follows it.
type segment struct {
	literal []byte
	slot    slot
	column  int
}

// slot is what is put behind a literal.
type slot uint8

const (
	slotNone  slot = iota
	slotValue      // a cell as a JSON value
	slotText       // a cell within a string
	slotRow        // the whole row as an object
)

// answerPath is where a part of a prediction stands.
type answerPath struct {
	part
	path *jsonpath.Path
}

func newTemplate(p *plan, request string) (*template, error) {
	t := &template{plan: p}
	for _, named := range parts(p.spec.Answer) {
		path, err := jsonpath.Parse(named.name)
		if err != nil {
			return nil, fmt.Errorf("answer.%s %q: %w", named.what, named.name, err)
		}
		t.paths = append(t.paths, answerPath{named, path})
	}
	if p.schema == nil {
		return t, nil
	}
	if err := checkJSON([]byte(request)); err != nil {
		return nil, fmt.Errorf("predict.request: %w", err)
	}
	t.row = append(p.inputs, (&plan{schema: p.schema, columns: p.columns}).named()...)
	return t, t.parse([]byte(request))
}

// parse cuts the template at its placeholders. Keys stay as they are.
func (t *template) parse(request []byte) error {
	start := 0
	for i := 0; i < len(request); {
		if request[i] != '"' {
			i++
			continue
		}
		end := stringEnd(request, i)
		after := skipSpace(request, end)
		isKey := after < len(request) && request[after] == ':'
		if text := raw(request[i:end]).text(); !isKey && strings.Contains(text, "${") {
			if err := t.parseString(request[start:i], text); err != nil {
				return err
			}
			start = end
		}
		i = end
	}
	t.segments = append(t.segments, segment{literal: request[start:]})
	return nil
}

// parseString takes a string with placeholders apart; before is what stands before it.
func (t *template) parseString(before []byte, text string) error {
	literal := bytes.Clone(before)
	if name, ok := strings.CutPrefix(text, "${"); ok && strings.IndexByte(name, '}') == len(name)-1 {
		return t.add(literal, name[:len(name)-1], slotValue)
	}
	literal = append(literal, '"')
	for {
		plain, rest, found := strings.Cut(text, "${")
		literal = append(literal, inner(plain)...)
		if !found {
			t.segments = append(t.segments, segment{literal: append(literal, '"')})
			return nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return fmt.Errorf("predict.request: %q has no closing brace", Shorten("${"+rest))
		}
		if err := t.add(literal, name, slotText); err != nil {
			return err
		}
		literal, text = nil, after
	}
}

// inner is a string as JSON writes it, without its quotes.
func inner(s string) []byte {
	quoted := appendString(nil, s)
	return quoted[1 : len(quoted)-1]
}

func (t *template) add(literal []byte, name string, s slot) error {
	if name == wholeRow {
		if s == slotText {
			return errors.New("predict.request: ${@row} must be a string of its own")
		}
		t.segments = append(t.segments, segment{literal: literal, slot: slotRow})
		return nil
	}
	at, err := t.positions([]string{name})
	if err != nil {
		return fmt.Errorf("predict.request: %w", err)
	}
	t.segments = append(t.segments, segment{literal: literal, slot: s, column: at[0]})
	return nil
}

func (t *template) encode(buf []byte, rows []dataset.Row) (_ message, err error) {
	if len(rows) != 1 {
		return message{}, fmt.Errorf("%d rows in one request of a template; it takes one", len(rows))
	}
	row := rows[0]
	for i := range t.segments {
		s := &t.segments[i]
		buf = append(buf, s.literal...)
		switch s.slot {
		case slotValue:
			buf = appendNatural(buf, &row.Values[s.column])
		case slotText:
			text, ok := row.Values[s.column].Text()
			if !ok {
				return message{}, t.cannot(row, s.column, "holds %s, which can't stand within a string of predict.request", described(&row.Values[s.column]))
			}
			buf = append(buf, inner(text)...)
		case slotRow:
			if buf, err = t.appendObject(buf, t.row, row); err != nil {
				return message{}, err
			}
		}
	}
	return message{body: buf}, nil
}

func (t *template) decode(a answer, _ int) ([]Prediction, error) {
	if err := checkJSON(a.body); err != nil {
		return nil, err
	}
	body := one(a.body)
	if len(t.paths) == 0 {
		if err := refusal(body); err != nil {
			return nil, err
		}
		p, err := readRow(body, t.spec.Answer, nil)
		return []Prediction{p}, err
	}
	if err := Bounds(body, MaxTree); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, fmt.Errorf("no JSON: %w", err)
	}
	var p Prediction
	for _, path := range t.paths {
		v, err := path.find(tree)
		if err == nil {
			err = take(path.part, &p, t.spec.Answer, v)
		}
		if err != nil {
			if refused := refusal(body); refused != nil {
				return nil, refused
			}
			return nil, err
		}
	}
	return []Prediction{p}, nil
}

// find is what stands at the path: one value, or for lists all of them.
func (p answerPath) find(tree any) (raw, error) {
	nodes := p.path.Select(tree)
	switch {
	case len(nodes) == 0:
		return nil, fmt.Errorf("nothing at %s", p.name)
	case len(nodes) == 1:
		return marshal(nodes[0])
	case p.what == "label" || p.what == "value":
		return nil, fmt.Errorf("%d values at %s where one should be", len(nodes), p.name)
	default:
		return marshal([]any(nodes))
	}
}

func marshal(v any) (raw, error) {
	b, err := json.Marshal(v)
	return b, err
}
