package policy

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// wholeRow is the placeholder that stands for a row as an object.
const wholeRow = "@row"

// templateFault says what is wrong with a request template: JSON whose strings
// may hold placeholders. Without any, every row would be asked the same.
func templateFault(text string) string {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	placeholders, nesting := 0, objects{}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return `it is not JSON; placeholders stand in quotes, like {"x": "${column}"}: ` + firstLine(err.Error())
		}
		key := nesting.key(token)
		value, isText := token.(string)
		if !isText {
			continue
		}
		found, says := placeholdersOf(value)
		switch {
		case says != "":
			return says
		case found > 0 && key:
			return "a placeholder stands for a value and not for a key"
		}
		placeholders += found
	}
	switch {
	case !json.Valid([]byte(text)):
		return "it is more or less than one JSON value"
	case placeholders == 0:
		return `it has no placeholder, so every row would be asked the same; write "${column}" or "${@row}"`
	}
	return ""
}

// placeholdersOf counts the placeholders of one string.
func placeholdersOf(text string) (count int, says string) {
	rest := text
	for {
		_, after, found := strings.Cut(rest, "${")
		if !found {
			return count, ""
		}
		name, tail, closed := strings.Cut(after, "}")
		switch {
		case !closed:
			return 0, "a placeholder ${ is not closed by }"
		case strings.TrimSpace(name) == "" || strings.Contains(name, "${"):
			return 0, "a placeholder names a column, like ${amount}"
		case name == wholeRow && text != "${"+wholeRow+"}":
			return 0, `"${@row}" stands for an object, so nothing else is in its string`
		case strings.HasPrefix(name, "@") && name != wholeRow:
			return 0, "${" + short(name) + "} is unknown; ${@row} is the whole row"
		}
		count++
		rest = tail
	}
}

// objects follows a stream of JSON tokens and knows which of them are keys.
type objects struct {
	open []bool // for each open bracket, whether it is an object's
	next []bool // for each, whether a key comes next
}

// key takes the next token and reports whether it is an object's key.
func (o *objects) key(token json.Token) bool {
	switch token {
	case json.Delim('}'), json.Delim(']'):
		o.open, o.next = o.open[:len(o.open)-1], o.next[:len(o.next)-1]
		return false
	}
	key := false
	if n := len(o.open) - 1; n >= 0 && o.open[n] {
		key, o.next[n] = o.next[n], !o.next[n]
	}
	switch token {
	case json.Delim('{'):
		o.open, o.next = append(o.open, true), append(o.next, true)
	case json.Delim('['):
		o.open, o.next = append(o.open, false), append(o.next, false)
	}
	return key
}
