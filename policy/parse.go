package policy

import (
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// maxProblems bounds what is told of one document.
const maxProblems = 50

// document is one YAML document of a policy file: a Model, a Fleet, or, if
// both are nil, one that has problems.
type document struct {
	file  string
	kind  string // empty if the document does not say
	name  string // likewise
	model *Model
	fleet *Fleet
	marks *marks
	// empty holds the files that the model's checks name and that hold no row.
	empty map[string]bool
}

// Parse reads the documents of one policy file. File is its path; the files
// that it names must lie in the folder root (the file's own folder if root is
// empty). All models and fleets that are returned are valid on their own; the
// rules between files are those of Merge.
func Parse(file string, data []byte, root string) (models []*Model, fleets []*Fleet, problems []Problem) {
	if root == "" {
		root = filepath.Dir(file)
	}
	documents, problems := parseFile(file, data, ground{root, root})
	for _, d := range documents {
		switch {
		case d.model != nil:
			models = append(models, d.model)
		case d.fleet != nil:
			fleets = append(fleets, d.fleet)
		}
	}
	return models, fleets, sortProblems(problems)
}

func parseFile(file string, content []byte, root ground) ([]document, []Problem) {
	chunks, problem := split(content)
	if problem != nil {
		problem.File = file
		return nil, []Problem{*problem}
	}
	var documents []document
	var problems []Problem
	for _, c := range chunks {
		d, found := parseDocument(file, c, root)
		documents = append(documents, d)
		problems = append(problems, found...)
	}
	return documents, problems
}

// parseDocument finds out what a document is and builds it.
func parseDocument(file string, c chunk, root ground) (document, []Problem) {
	d := document{file: file}
	if c.problem != nil {
		return d, d.tell([]Problem{*c.problem})
	}
	d.kind, d.name = peek(c.root, "kind"), peek(c.root, "metadata", "name")
	source := Source{File: file, Line: c.line, Hash: c.hash}
	var problems []Problem
	switch d.kind {
	case kindModel:
		problems = d.build(c.root, source, root, new(rawModel))
	case kindFleet:
		problems = d.build(c.root, source, root, new(rawFleet))
	default:
		problems = []Problem{unknownKind(c.root, d.kind)}
	}
	return d, d.tell(problems)
}

// build binds and builds; only a document without any problem becomes a policy.
func (d *document) build(root ast.Node, source Source, folder ground, raw any) []Problem {
	binder := binder{}
	binder.bind(root, raw)
	d.marks = &binder.marks
	builder := builder{marks: d.marks, source: source, root: folder}
	var model *Model
	var fleet *Fleet
	switch raw := raw.(type) {
	case *rawModel:
		model = builder.model(raw)
	case *rawFleet:
		fleet = builder.fleet(raw)
	}
	problems := slices.Concat(binder.problems, builder.problems)
	if len(problems) == 0 {
		d.model, d.fleet = model, fleet
		if model != nil {
			d.empty = emptyFiles(model)
		}
	}
	return problems
}

// tell completes problems with what is known of the document.
func (d *document) tell(problems []Problem) []Problem {
	problems = sortProblems(problems)
	if len(problems) > maxProblems {
		problems = problems[:maxProblems]
	}
	for i := range problems {
		problems[i].File = d.file
		switch d.kind {
		case kindModel:
			problems[i].Model = d.name
		case kindFleet:
			problems[i].Fleet = d.name
		}
	}
	return problems
}

func unknownKind(root ast.Node, kind string) Problem {
	at := startOf(root)
	p := Problem{Line: at.line, Column: at.column, Rule: RuleUnknownKind}
	switch mapping, ok := root.(*ast.MappingNode); {
	case !ok:
		p.Message = "the document is " + typeName(root) + "; a policy is a mapping with apiVersion, kind, metadata and spec"
	case kind == "":
		p.Message = "kind is missing; write kind: Model or kind: Fleet"
	default:
		for _, entry := range mapping.Values {
			if entry.Key.GetToken().Value == "kind" {
				at = startOf(entry.Value)
			}
		}
		p.Line, p.Column = at.line, at.column
		p.Message = "kind = " + short(kind) + "; write Model or Fleet" + didYouMean(kind, []string{kindModel, kindFleet})
	}
	return p
}

// policy reports whether the document became one.
func (d document) policy() bool { return d.model != nil || d.fleet != nil }

func (d document) source() Source {
	switch {
	case d.model != nil:
		return d.model.Source
	case d.fleet != nil:
		return d.fleet.Source
	}
	return Source{File: d.file}
}

// at is where path stands; 0:0 in a document that could not be read at all.
func (d document) at(path string) place {
	if d.marks == nil {
		return place{}
	}
	return d.marks.at(path)
}

// where names a place of the document for a message of another one.
func (d document) where(path string) string {
	at := d.at(path)
	return Problem{File: d.file, Line: at.line, Column: at.column}.place()
}
