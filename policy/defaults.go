package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// defaults is the Defaults document of a folder.
type defaults struct {
	file, hash string
	spec       *ast.MappingValueNode // the entry of the document; nil if it gives nothing
	// problems keep it, and with it every model that inherits it, from being used.
	problems []Problem
	where    string // its place, for the problems of others
}

// heritage is what the models of one reading inherit.
type heritage struct {
	root    string // the policy folder, in which inheritance begins
	ground  ground
	folders map[string]*defaults
	lines   map[string]*line
	files   map[*ast.MappingValueNode]string // see heir
}

// line is what a folder's models inherit: the Defaults documents from the policy
// folder down to their own, and what these say together.
type line struct {
	all    []*defaults
	spec   *ast.MappingValueNode // nil if nothing is inherited
	broken bool
}

// heritageOf finds and checks the Defaults documents.
func heritageOf(documents []document, root ground) (*heritage, []Problem) {
	h := &heritage{
		root: filepath.Clean(root.named), ground: root, folders: map[string]*defaults{},
		lines: map[string]*line{}, files: map[*ast.MappingValueNode]string{},
	}
	var problems []Problem
	for i := range documents {
		if d := &documents[i]; d.kind == kindDefaults {
			problems = append(problems, h.take(d)...)
		}
	}
	return h, problems
}

// take checks one Defaults document. A second one of a folder is a problem of
// both, since to choose one would be a guess; it is told at the second.
func (h *heritage) take(d *document) []Problem {
	given := &defaults{file: d.file, hash: d.read.Hash, problems: d.broken}
	var problems []Problem
	if root, ok := d.root.(*ast.MappingNode); ok {
		problems = d.tell(d.checkDefaults())
		given.problems = problems
		given.spec = entryOf(root, "spec")
		h.note(root, d.file)
	}
	given.where = d.where("")
	folder := filepath.Dir(d.file)
	if first := h.folders[folder]; first != nil {
		second := startOfDocument(d).problem(RuleDuplicateDefaults,
			"folder %s has another Defaults document at %s; put both into one", folder, first.where)
		told := d.tell([]Problem{second})
		first.problems = slices.Concat(first.problems, told)
		return append(problems, told...)
	}
	h.folders[folder] = given
	return problems
}

func startOfDocument(d *document) place {
	if d.root == nil {
		return place{line: d.read.Line, column: 1}
	}
	return startOf(d.root)
}

// note puts all entries outside of lists down as file's.
func (h *heritage) note(mapping *ast.MappingNode, file string) {
	for _, entry := range mapping.Values {
		h.files[entry] = file
		if below, ok := entry.Value.(*ast.MappingNode); ok {
			h.note(below, file)
		}
	}
}

// of is what the models of a folder inherit.
func (h *heritage) of(folder string) *line {
	if known := h.lines[folder]; known != nil {
		return known
	}
	l := &line{}
	if above := filepath.Dir(folder); folder != h.root && above != folder {
		*l = *h.of(above)
	}
	if own := h.folders[folder]; own != nil {
		l.all = append(slices.Clip(l.all), own)
		l.broken = l.broken || len(own.problems) > 0
		if !l.broken {
			l.spec = h.overEntry("spec", own.file, l.spec, own.spec)
		}
	}
	h.lines[folder] = l
	return l
}

// laid is a model's document on top of what it inherits.
func (h *heritage) laid(l *line, own ast.Node) ast.Node {
	root, ok := own.(*ast.MappingNode)
	if !ok || l.spec == nil {
		return own
	}
	merged := *root
	merged.Values = slices.Clone(root.Values)
	if i := slices.Index(merged.Values, entryOf(root, "spec")); i >= 0 {
		merged.Values[i] = h.overEntry("spec", "", l.spec, merged.Values[i])
	} else {
		merged.Values = append(merged.Values, l.spec)
	}
	return &merged
}

// hash is that of a model's document and of all that it inherits. Where a file
// stands counts as far as its relative paths do.
func (l *line) hash(own, folder string) string {
	if len(l.all) == 0 {
		return own
	}
	sum := sha256.New()
	fmt.Fprintln(sum, own)
	for _, d := range l.all {
		from, err := filepath.Rel(folder, filepath.Dir(d.file))
		if err != nil {
			from = filepath.Dir(d.file)
		}
		fmt.Fprintln(sum, from, d.hash)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// inheritedFiles are the files of the Defaults documents, the farthest first.
func (l *line) inheritedFiles() []string {
	var all []string
	for _, d := range l.all {
		all = append(all, d.file)
	}
	return all
}

// renamed is l with its files under the names that a function gives them.
func (l *line) renamed(named func(file string) string) *line {
	if l == nil {
		return nil
	}
	copied := *l
	copied.all = make([]*defaults, len(l.all))
	for i, d := range l.all {
		other := *d
		other.file, other.problems = named(d.file), slices.Clone(d.problems)
		for i := range other.problems {
			other.problems[i].File = named(other.problems[i].File)
		}
		copied.all[i] = &other
	}
	return &copied
}

// keeps reports whether p is a problem of something that the models inherit.
func (l *line) keeps(p Problem) bool {
	return l != nil && slices.ContainsFunc(l.all, func(d *defaults) bool { return slices.Contains(d.problems, p) })
}
