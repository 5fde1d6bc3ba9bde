package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// JSON is the policy as a document in JSON, and beside it where each value comes
// from, by its path.
func (e *Effective) JSON() ([]byte, error) {
	var out jsonWriter
	out.WriteString(`{"policy":`)
	out.mapping(e.fields)
	out.WriteString(`,"from":{`)
	out.origins(e.fields)
	out.WriteString("}}")
	if out.err != nil {
		return nil, fmt.Errorf("write JSON: %w", out.err)
	}
	var text bytes.Buffer
	if err := json.Indent(&text, out.Bytes(), "", "  "); err != nil {
		return nil, fmt.Errorf("indent JSON: %w", err)
	}
	text.WriteByte('\n')
	return text.Bytes(), nil
}

// jsonWriter keeps the order of the fields, which a map would lose.
type jsonWriter struct {
	bytes.Buffer
	told bool // an origin was written
	err  error
}

func (w *jsonWriter) value(v any) {
	e := json.NewEncoder(&w.Buffer)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil && w.err == nil {
		w.err = err
	}
}

func (w *jsonWriter) mapping(fields []field) {
	w.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			w.WriteByte(',')
		}
		w.value(f.key)
		w.WriteByte(':')
		switch {
		case f.items != nil:
			w.list(f.items)
		case f.fields != nil:
			w.mapping(f.fields)
		default:
			w.value(f.value)
		}
	}
	w.WriteByte('}')
}

func (w *jsonWriter) list(items [][]field) {
	w.WriteByte('[')
	for i, fields := range items {
		if i > 0 {
			w.WriteByte(',')
		}
		w.mapping(fields)
	}
	w.WriteByte(']')
}

func (w *jsonWriter) origins(fields []field) {
	for _, f := range fields {
		if f.plain() || len(f.items) == 0 && f.items != nil {
			if w.told {
				w.WriteByte(',')
			}
			w.told = true
			w.value(f.path)
			w.WriteByte(':')
			w.value(f.from)
		}
		w.origins(f.fields)
		for _, below := range f.items {
			w.origins(below)
		}
	}
}
