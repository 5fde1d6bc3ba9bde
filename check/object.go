package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// offsetError is a problem at a byte of a line.
type offsetError struct {
	offset  int
	problem string
}

func (e *offsetError) Error() string { return e.problem }

// field is one key of a JSON object, with the offsets where key and value end.
type field struct {
	key            string
	keyAt, valueAt int // offsets of the first byte
	value          json.RawMessage
}

func (f field) must(be string) error {
	return &offsetError{f.valueAt, fmt.Sprintf("%s is %s; must be %s", f.key, shorten(string(f.value)), be)}
}

// text is the field's value as a string; null is none.
func (f field) text() (string, bool) {
	var s *string
	if err := json.Unmarshal(f.value, &s); err != nil || s == nil {
		return "", false
	}
	return *s, true
}

// splitObject reads the keys of one JSON object and leaves the values as they
// are. encoding/json takes the last of doubled keys in silence and can't say
// where an unknown one stands; this refuses the one and allows the other.
func splitObject(line []byte) ([]field, error) {
	var whole json.RawMessage
	if err := json.Unmarshal(line, &whole); err != nil {
		return nil, syntaxProblem(err, len(bytes.TrimRight(line, "\r\n")))
	}
	d := json.NewDecoder(bytes.NewReader(line))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, &offsetError{0, `a case is a JSON object: {"request": …, "expect": …}`}
	}
	var fields []field
	seen := map[string]bool{}
	for d.More() {
		f, err := nextField(d, line)
		if err != nil {
			return nil, err
		}
		if seen[f.key] {
			return nil, &offsetError{f.keyAt, fmt.Sprintf("key %q stands twice", f.key)}
		}
		seen[f.key] = true
		fields = append(fields, f)
	}
	return fields, nil
}

func nextField(d *json.Decoder, line []byte) (field, error) {
	keyAt := skip(line, d.InputOffset(), ",")
	key, err := d.Token()
	if err != nil {
		return field{}, fmt.Errorf("read key: %w", err)
	}
	f := field{key: fmt.Sprint(key), keyAt: keyAt, valueAt: skip(line, d.InputOffset(), ":")}
	if err := d.Decode(&f.value); err != nil {
		return field{}, fmt.Errorf("read value of %s: %w", f.key, err)
	}
	return f, nil
}

// skip is the offset of the first byte from start on that is neither white
// space nor one of the separators.
func skip(line []byte, start int64, separators string) int {
	rest := bytes.TrimLeft(line[start:], " \t\r\n"+separators)
	return len(line) - len(rest)
}

// syntaxProblem tells where JSON went wrong; end is where the text ends.
func syntaxProblem(err error, end int) error {
	s, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return fmt.Errorf("not JSON: %w", err)
	}
	// Offset counts the bytes read, the bad one included; at an unexpected end
	// there is no bad one.
	offset := max(int(s.Offset)-1, 0)
	if s.Error() == "unexpected end of JSON input" {
		offset = end
	}
	return &offsetError{offset, "not JSON: " + s.Error()}
}

// decode reads one JSON value with numbers as they were written. Values that
// JSON can't say but that Python's encoder writes (NaN, Infinity) become
// strings.
func decode(b []byte) (any, error) {
	v, err := decodeStrict(b)
	if err == nil {
		return v, nil
	}
	quoted, changed := quoteNonFinite(b)
	if !changed {
		return nil, err
	}
	return decodeStrict(quoted)
}

func decodeStrict(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("empty")
		}
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more text after the JSON value")
	}
	return v, nil
}

// nonFinite are the words that Python's json.dumps writes for numbers that
// JSON has not.
var nonFinite = []string{"NaN", "-Infinity", "Infinity"}

// quoteNonFinite puts quotes around such words outside of strings.
func quoteNonFinite(b []byte) (quoted []byte, changed bool) {
	var out bytes.Buffer
	for i := 0; i < len(b); {
		if b[i] == '"' {
			end := stringEnd(b, i)
			out.Write(b[i:end])
			i = end
			continue
		}
		word := nonFiniteAt(b[i:])
		if word == "" {
			out.WriteByte(b[i])
			i++
			continue
		}
		changed = true
		out.WriteString(`"` + word + `"`)
		i += len(word)
	}
	return out.Bytes(), changed
}

// stringEnd is the offset after the string that begins at start.
func stringEnd(b []byte, start int) int {
	for i := start + 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

func nonFiniteAt(b []byte) string {
	for _, word := range nonFinite {
		if bytes.HasPrefix(b, []byte(word)) {
			return word
		}
	}
	return ""
}
