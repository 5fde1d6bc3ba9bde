package policy

import (
	"cmp"
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// maxProblems bounds what is told of one document.
const maxProblems = 50

// document is one YAML document of a policy file: a Model, a Fleet, or, if
// both are nil, Defaults or one that has problems.
type document struct {
	file  string
	kind  string // empty if the document does not say
	name  string // likewise
	model *Model
	fleet *Fleet
	marks *marks
	// empty holds the files that the model's checks name and that hold no row.
	empty map[string]bool
	raw   *rawModel // what the model was built from

	root   ast.Node // nil if it could not be parsed, and after it was built
	read   Source
	broken []Problem // why it could not be parsed
	line   *line     // what a Model inherits
	// named is how files are told that stand under another name on this machine.
	named func(file string) string
}

// Parse reads the documents of one policy file. File is its path; the files
// that it names must lie in the folder root (the file's own folder if root is
// empty). All models and fleets that are returned are valid on their own; the
// rules between files are those of Merge. Of Defaults documents only those of
// the same file are known.
func Parse(file string, data []byte, root string) (models []*Model, fleets []*Fleet, problems []Problem) {
	if root == "" {
		root = filepath.Dir(file)
	}
	documents, problems := parseFile(file, data)
	problems = append(problems, build(documents, ground{root, root})...)
	for _, d := range documents {
		switch {
		case d.model != nil:
			models = append(models, d.model)
		case d.fleet != nil:
			fleets = append(fleets, d.fleet)
		}
	}
	return models, fleets, toldOnce(sortProblems(problems))
}

// parseFile finds a file's documents, which build makes policies of.
func parseFile(file string, content []byte) ([]document, []Problem) {
	chunks, problem := split(content)
	if problem != nil {
		problem.File = file
		return nil, []Problem{*problem}
	}
	var documents []document
	var problems []Problem
	for _, c := range chunks {
		d, found := parseDocument(file, c)
		documents = append(documents, d)
		problems = append(problems, found...)
	}
	return documents, problems
}

// parseDocument finds out what a document is.
func parseDocument(file string, c chunk) (document, []Problem) {
	d := document{file: file, read: Source{File: file, Line: c.line, Hash: c.hash}}
	if c.problem != nil {
		if c.defaults {
			d.kind = kindDefaults
		}
		d.broken = d.tell([]Problem{*c.problem})
		return d, d.broken
	}
	d.root, d.kind, d.name = c.root, peek(c.root, "kind"), peek(c.root, "metadata", "name")
	if !slices.Contains(kinds, d.kind) {
		return d, d.tell([]Problem{unknownKind(c.root, d.kind)})
	}
	return d, nil
}

// build makes policies of documents that were read together.
func build(documents []document, root ground) []Problem {
	h, problems := heritageOf(documents, root)
	for i := range documents {
		d := &documents[i]
		if d.root != nil {
			switch d.kind {
			case kindModel:
				problems = append(problems, d.tell(d.buildModel(h))...)
			case kindFleet:
				problems = append(problems, d.tell(d.buildFleet(root))...)
			}
		}
		d.root = nil
	}
	return problems
}

// buildModel binds and builds; only a document without any problem becomes a
// policy. Without what it inherits nobody knows what is missing in it, so then
// only its own words are looked at.
func (d *document) buildModel(h *heritage) []Problem {
	folder := filepath.Dir(d.file)
	d.line = h.of(folder)
	d.raw = new(rawModel)
	b := binder{heir: &heir{files: h.files, model: d.name}}
	if nameFault(d.name) != "" {
		b.heir.model = modelWord // so that the name's own problem is the only one
	}
	if d.line.broken {
		b.bind(d.root, d.raw)
		d.marks = &b.marks
		return b.problems
	}
	b.bind(h.laid(d.line, d.root), d.raw)
	d.marks = &b.marks
	source := d.read
	source.Hash, source.Defaults = d.line.hash(source.Hash, folder), d.line.inheritedFiles()
	builder := builder{marks: d.marks, source: source, root: h.ground}
	model := builder.model(d.raw)
	problems := slices.Concat(b.problems, builder.problems)
	if len(problems) == 0 {
		d.model, d.empty = model, emptyFiles(model, h.ground)
	}
	return problems
}

func (d *document) buildFleet(root ground) []Problem {
	b, raw := binder{}, new(rawFleet)
	b.bind(d.root, raw)
	d.marks = &b.marks
	builder := builder{marks: d.marks, source: d.read, root: root}
	fleet := builder.fleet(raw)
	problems := slices.Concat(b.problems, builder.problems)
	if len(problems) == 0 {
		d.fleet = fleet
	}
	return problems
}

// checkDefaults looks at a Defaults document by itself.
func (d *document) checkDefaults() []Problem {
	b, raw := binder{heir: &heir{gives: true}}, new(rawDefaults)
	b.bind(d.root, raw)
	d.marks = &b.marks
	builder := builder{marks: d.marks, source: d.read}
	builder.header(raw.APIVersion)
	return slices.Concat(b.problems, builder.problems)
}

// tell completes problems with what is known of the document.
func (d *document) tell(problems []Problem) []Problem {
	problems = sortProblems(problems)
	if len(problems) > maxProblems {
		problems = problems[:maxProblems]
	}
	for i := range problems {
		problems[i].inherited = problems[i].File != ""
		if !problems[i].inherited {
			problems[i].File = d.file
		}
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
		p.Message = "kind is missing; write kind: Model, kind: Fleet or kind: Defaults"
	default:
		for _, entry := range mapping.Values {
			if entry.Key.GetToken().Value == "kind" {
				at = startOf(entry.Value)
			}
		}
		p.Line, p.Column = at.line, at.column
		p.Message = "kind = " + short(kind) + "; write Model, Fleet or Defaults" + didYouMean(kind, kinds)
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

// problem is a broken rule at path, which may stand in a file that d inherits from.
func (d document) problem(path, rule, message string) Problem {
	at := d.at(path)
	if d.named != nil && at.file != "" {
		at.file = d.named(at.file)
	}
	return Problem{File: cmp.Or(at.file, d.file), Line: at.line, Column: at.column, Rule: rule, Message: message, inherited: at.file != ""}
}

// where names a place of the document for a message of another one.
func (d document) where(path string) string {
	return d.problem(path, "", "").place()
}
