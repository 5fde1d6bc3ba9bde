package policy

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"
)

// Word is a value of another format than policies' that is written as one word.
type Word interface {
	// Read takes the word, or says which rule it breaks and how it is written.
	Read(word string) (rule, says string)
}

// Shorthand is a mapping of another format that may be written as one word.
type Shorthand interface {
	ReadShort(word string) (rule, says string)
}

// Strict is a document of another format than policies', read as strictly: it
// knows where everything in it stands.
type Strict struct {
	marks marks
	file  string
}

// ReadStrict fills target, a pointer to a struct of pointers, slices and maps whose
// fields have yaml tags, from the one document of a file. Format is what the
// document is, for messages: "a test of policies".
func ReadStrict(file string, data []byte, format string, target any) (*Strict, []Problem) {
	chunks, problem := split(data)
	switch {
	case problem == nil && len(chunks) == 1:
		problem = chunks[0].problem
	case problem == nil && len(chunks) == 0:
		problem = &Problem{Rule: RuleRequired, Message: "the file is empty; it holds " + format}
	case problem == nil:
		problem = &Problem{Line: chunks[1].line, Column: 1, Rule: RuleTooLarge, Message: "the file holds several documents; write one to a file"}
	}
	if problem != nil {
		problem.File = file
		return &Strict{file: file}, []Problem{*problem}
	}
	b := binder{format: format}
	b.bind(chunks[0].root, target)
	for i := range b.problems {
		b.problems[i].File = file
	}
	return &Strict{marks: b.marks, file: file}, sortProblems(b.problems)
}

// Unread reports whether path, or something around it, could not be read: what is
// missing there is no mistake of its own.
func (s *Strict) Unread(path string) bool { return s.marks.unread(path) }

// UnreadIn reports whether something in what stands at path could not be read.
func (s *Strict) UnreadIn(path string) bool {
	for broken := range s.marks.broken {
		if strings.HasPrefix(broken, path+".") || strings.HasPrefix(broken, path+"[") {
			return true
		}
	}
	return false
}

// Line is where path, or the nearest value around it that was written, stands.
func (s *Strict) Line(path string) int { return s.marks.at(path).line }

// Problem is one that stands at path.
func (s *Strict) Problem(path, rule, format string, args ...any) Problem {
	at := s.marks.at(path)
	return Problem{File: s.file, Line: at.line, Column: at.column, Rule: rule, Message: fmt.Sprintf(format, args...)}
}

// SortProblems orders problems by place and drops exact repetitions.
func SortProblems(problems []Problem) []Problem { return sortProblems(problems) }

// DidYouMean gives " (did you mean X?)", and nothing if no candidate is near.
func DidYouMean(text string, candidates []string) string { return didYouMean(text, candidates) }

// foreign fills a value of another format, and reports whether it was one.
func (b *binder) foreign(node ast.Node, v reflect.Value, path string) bool {
	var read func(string) (rule, says string)
	switch f := v.Addr().Interface().(type) {
	case Word:
		read = f.Read
	case Shorthand:
		if !isScalar(node) {
			return false
		}
		read = f.ReadShort
	default:
		return false
	}
	text, ok := scalarText(node)
	if !ok {
		b.breaks(path, RuleWrongType, "%s is %s; write one value", shown(path), typeName(node))
		return true
	}
	if rule, says := read(text); says != "" {
		b.breaks(path, rule, "%s = %s; %s", shown(path), short(text), says)
	}
	return true
}

// SchemaOf is the JSON Schema of a document that ReadStrict fills raw from.
func SchemaOf(raw any, title, description string) ([]byte, error) {
	s := reflectSchema(raw)
	root := &jsonschema.Schema{
		Version: jsonschema.Version, Title: title, Description: description, Ref: s.Ref, Definitions: s.Definitions,
	}
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write schema: %w", err)
	}
	return append(text, '\n'), nil
}
