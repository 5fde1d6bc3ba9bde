package predict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Bounds of an answer in JSON beyond its size in bytes.
const (
	maxDepth  = 64      // of lists and objects in one another
	maxValues = 4 << 20 // in one answer
	// MaxTree is how many values an answer may have that is read into a tree of
	// values: there each takes up to fifty times its bytes.
	MaxTree = 1 << 19
)

// checkJSON finds out whether b is one JSON value within the bounds, so that
// scanning it needs no more care.
func checkJSON(b []byte) error {
	if len(bytes.TrimSpace(b)) == 0 {
		return errors.New("an empty body")
	}
	if !utf8.Valid(b) {
		return errors.New("a body that is not UTF-8")
	}
	if !json.Valid(b) {
		if word := nonFinite(b); word != "" {
			return fmt.Errorf("the answer holds %s, which is no number", word)
		}
		var v json.RawMessage
		return fmt.Errorf("no JSON: %w", json.Unmarshal(b, &v))
	}
	return Bounds(b, maxValues)
}

// Bounds finds out whether JSON has more values than most, or is nested too
// deep. What is no JSON is not noticed.
func Bounds(b []byte, most int) error {
	depth, values := 0, 1
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = stringEnd(b, i) - 1
		case ',':
			values++
		case '[', '{':
			depth++
			values++
			if depth > maxDepth {
				return fmt.Errorf("lists or objects more than %d deep", maxDepth)
			}
		case ']', '}':
			depth--
		}
	}
	if values > most {
		return fmt.Errorf("more than %d values", most)
	}
	return nil
}

// nonFinite finds the first word outside of strings that Python's json.dumps
// writes for a number that JSON has not.
func nonFinite(b []byte) string {
	for i := 0; i < len(b); i++ {
		if b[i] == '"' {
			i = stringEnd(b, i) - 1
			continue
		}
		for _, word := range []string{"NaN", "-Infinity", "Infinity"} {
			if bytes.HasPrefix(b[i:], []byte(word)) {
				return word
			}
		}
	}
	return ""
}

// isNonFinite reports whether a string stands for a number that is none.
func isNonFinite(s string) bool {
	switch s {
	case "NaN", "nan", "Infinity", "-Infinity", "inf", "-inf", "Inf", "-Inf", "+Inf":
		return true
	}
	return false
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

// raw is one JSON value that checkJSON has seen, without space around it.
type raw []byte

// one is the value in b.
func one(b []byte) raw { return raw(bytes.TrimSpace(b)) }

// kind is '{', '[', '"', '0' for a number, 't' for a bool, 'n' for null.
func (r raw) kind() byte {
	if len(r) == 0 {
		return 'n'
	}
	switch c := r[0]; c {
	case '{', '[', '"', 't', 'n':
		return c
	case 'f':
		return 't'
	default:
		return '0'
	}
}

// elements calls f for each element of a list; none of anything else.
func (r raw) elements(f func(raw) error) error {
	if r.kind() != '[' {
		return nil
	}
	for i := skipSpace(r, 1); i < len(r) && r[i] != ']'; {
		end := valueEnd(r, i)
		if err := f(r[i:end]); err != nil {
			return err
		}
		i = next(r, end)
	}
	return nil
}

// members calls f for each member of an object; none of anything else. A key
// that stands twice comes twice.
func (r raw) members(f func(key string, v raw) error) error {
	if r.kind() != '{' {
		return nil
	}
	for i := skipSpace(r, 1); i < len(r) && r[i] == '"'; {
		end := stringEnd(r, i)
		key := r[i:end].text()
		start := skipSpace(r, skipSpace(r, end)+1) // past the colon
		if start >= len(r) {
			return nil
		}
		end = valueEnd(r, start)
		if err := f(key, r[start:end]); err != nil {
			return err
		}
		i = next(r, end)
	}
	return nil
}

// text is a string's content.
func (r raw) text() string {
	if len(r) < 2 || r[0] != '"' {
		return ""
	}
	if inner := r[1 : len(r)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var s string
	_ = json.Unmarshal(r, &s) // checkJSON saw that it is a string
	return s
}

// number is the value as a finite number.
func (r raw) number() (float64, error) {
	switch r.kind() {
	case '0':
		f, err := strconv.ParseFloat(string(r), 64)
		if err != nil {
			return 0, fmt.Errorf("%s is no number that fits in 64 bits", Shorten(string(r)))
		}
		return f, nil
	case '"':
		if s := r.text(); isNonFinite(s) {
			return 0, fmt.Errorf("%s is no number", s)
		}
	}
	return 0, fmt.Errorf("%s where a number should be", r.described())
}

// described names the value in an error.
func (r raw) described() string {
	switch r.kind() {
	case '{':
		return "an object"
	case '[':
		return "a list"
	default:
		return Shorten(string(r))
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// next is the offset of what follows a value and its comma.
func next(b []byte, end int) int {
	i := skipSpace(b, end)
	if i < len(b) && b[i] == ',' {
		i = skipSpace(b, i+1)
	}
	return i
}

// valueEnd is the offset after the value that begins at start. It always gets
// further, so that no text, however broken, holds a scan up.
func valueEnd(b []byte, start int) int {
	switch b[start] {
	case '"':
		return stringEnd(b, start)
	case '{', '[':
		depth := 0
		for i := start; i < len(b); i++ {
			switch b[i] {
			case '"':
				i = stringEnd(b, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return len(b)
	}
	for i := start + 1; i < len(b); i++ {
		switch b[i] {
		case ',', ']', '}', ' ', '\n', '\t', '\r':
			return i
		}
	}
	return len(b)
}
