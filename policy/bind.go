package policy

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// place is a position in a file: in the document's own, unless file names
// another one, from which the value is inherited.
type place struct {
	line, column int
	file         string
}

// marks knows where in the file every value stands, by its path
// ("spec.shift.steps[1]"), and which values could not be read.
type marks struct {
	places map[string]place
	broken map[string]bool
	// inline holds, for texts that stand on one line as they are, how far
	// behind their place they begin: 1 after a quote.
	inline map[string]int
	// taken holds where null takes a value back to the built-in default; such a
	// path counts as not written.
	taken map[string]place
}

// at is the place of path, or of the nearest value around it that was written.
func (m *marks) at(path string) place {
	for {
		if at, ok := m.places[path]; ok || path == "" {
			return at
		}
		path = parent(path)
	}
}

// has reports whether path was written.
func (m *marks) has(path string) bool {
	_, ok := m.places[path]
	return ok
}

// unread reports whether path, or a value around it, could not be read: what
// is missing then is no mistake of its own.
func (m *marks) unread(path string) bool {
	for ; path != ""; path = parent(path) {
		if m.broken[path] {
			return true
		}
	}
	return m.broken[""]
}

// parent cuts the last key or index off a path.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

// child adds a key to a path.
func child(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// binder fills a raw struct from a document's syntax tree. Unlike a decoder it
// does not stop at the first mistake: it notes each one, leaves the value out
// and goes on, so that all problems of a document are told at once.
type binder struct {
	marks    marks
	problems []Problem
	// heir says what of the document is inherited; nil where nothing can be.
	heir *heir
	// file is where the value at hand is inherited from; empty for an own one.
	file string
	// lists counts the lists around the value at hand.
	lists  int
	format string // what is read, in words; empty: the policy format
}

// bind fills target, a pointer to a raw struct.
func (b *binder) bind(root ast.Node, target any) {
	b.marks = marks{places: map[string]place{}, broken: map[string]bool{}, inline: map[string]int{}, taken: map[string]place{}}
	b.marks.places[""] = startOf(root)
	b.value(root, reflect.ValueOf(target).Elem(), "")
}

// value fills v from node. The path's place is already known.
func (b *binder) value(node ast.Node, v reflect.Value, path string) {
	if node.Type() == ast.NullType {
		b.null(path, v.Type())
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if s, ok := v.Addr().Interface().(scalar); ok {
		b.scalar(node, s, path)
		return
	}
	if b.foreign(node, v, path) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		b.structure(node, v, path)
	case reflect.Slice:
		b.slice(node, v, path)
	case reflect.Map:
		b.entries(node, v, path)
	default:
		b.plain(node, v, path)
	}
}

// null is a key without a value. Only a check may be written so, because its
// key alone says what is wanted; takesBack has seen to a null that means something.
func (b *binder) null(path string, want reflect.Type) {
	if want == reflect.TypeFor[*rawEndpoints]() {
		return
	}
	b.breaks(path, RuleEmptyValue, "%s is empty; write a value or remove the key", shown(path))
}

func (b *binder) scalar(node ast.Node, s scalar, path string) {
	text, ok := scalarText(node)
	if !ok {
		b.breaks(path, RuleWrongType, "%s is %s; write one value", shown(path), typeName(node))
		return
	}
	if wrong := s.set(text); wrong != nil {
		b.breaks(path, wrong.rule, "%s = %s; %s", shown(path), short(text), wrong.says)
	}
}

// structure fills a raw struct from a mapping, key by key.
func (b *binder) structure(node ast.Node, v reflect.Value, path string) {
	if step, ok := v.Addr().Interface().(*rawStep); ok && isScalar(node) {
		step.Weight = new(percent)
		b.scalar(node, step.Weight, path)
		return
	}
	if live, ok := v.Addr().Interface().(*rawLive); ok && isScalar(node) {
		live.Color = new(string)
		b.plain(node, reflect.ValueOf(live.Color).Elem(), path)
		return
	}
	if _, ok := v.Addr().Interface().(*rawNotWorse); ok && isScalar(node) {
		if truth, ok := node.(*ast.BoolNode); !ok || !truth.Value {
			b.breaks(path, RuleWrongType, "%s is %s; write true, or a mapping with the keys %s", shown(path), typeName(node), strings.Join(keysOf(v.Type()), ", "))
		}
		return
	}
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		b.breaks(path, RuleWrongType, "%s is %s; write a mapping with the keys %s", shown(path), typeName(node), strings.Join(keysOf(v.Type()), ", "))
		return
	}
	fields, seen := fieldsOf(v.Type()), map[string]place{}
	for _, entry := range mapping.Values {
		before := b.enter(entry)
		key := entry.Key.GetToken()
		at, element := b.here(place{line: key.Position.Line, column: key.Position.Column}), child(path, key.Value)
		index, known := fields[key.Value]
		first, doubled := seen[key.Value]
		switch {
		case doubled:
			b.problem(at, RuleDoubledKey, "%s is written twice, first on line %d; remove one", shown(element), first.line)
		case !known || !isScalar(entry.Key):
			seen[key.Value] = at
			b.unknown(at, path, key.Value, mapping, v.Type())
		case b.takesBack(entry, element):
			seen[key.Value] = at
			b.marks.taken[element] = at
		default:
			seen[key.Value] = at
			b.marks.places[element] = b.here(placeOf(entry, at))
			b.value(entry.Value, v.Field(index), element)
		}
		b.file = before
	}
}

// unknown notes a key that the format does not have. The key that it was most
// likely meant to be counts as unread: it is not missed on top of that.
func (b *binder) unknown(at place, path, key string, mapping *ast.MappingNode, t reflect.Type) {
	keys := keysOf(t)
	b.problem(at, RuleUnknownKey, "%s is not a key of %s%s; known here: %s",
		short(shown(child(path, key))), cmp.Or(b.format, "the policy format"), didYouMean(key, keys), strings.Join(keys, ", "))
	meant := nearest(key, keys)
	written := slices.ContainsFunc(mapping.Values, func(e *ast.MappingValueNode) bool { return e.Key.GetToken().Value == meant })
	if meant != "" && !written {
		b.marks.broken[child(path, meant)] = true
	}
}

func (b *binder) slice(node ast.Node, v reflect.Value, path string) {
	if one, ok := node.(*ast.MappingNode); ok && v.Type() == reflect.TypeFor[rawApprovals]() {
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		b.marks.places[item(path, 0)] = b.marks.places[path]
		b.lists++
		b.value(one, v.Index(0), item(path, 0))
		b.lists--
		return
	}
	if v.Type() == reflect.TypeFor[rawDays]() && isScalar(node) {
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		b.value(node, v.Index(0), path)
		return
	}
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		b.breaks(path, RuleWrongType, "%s is %s; write a list", shown(path), typeName(node))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values)))
	b.lists++
	for i, item := range list.Values {
		element := path + "[" + strconv.Itoa(i) + "]"
		b.marks.places[element] = b.here(startOf(item))
		b.value(item, v.Index(i), element)
	}
	b.lists--
}

// entries fills a map, whose keys are the writer's own.
func (b *binder) entries(node ast.Node, v reflect.Value, path string) {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		b.breaks(path, RuleWrongType, "%s is %s; write a mapping of names and %s", shown(path), typeName(node), valuesOf(v.Type()))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, entry := range mapping.Values {
		before := b.enter(entry)
		key, at := entry.Key.GetToken(), b.here(startOf(entry.Value))
		element := child(path, key.Value)
		if v.MapIndex(reflect.ValueOf(key.Value)).IsValid() || !isScalar(entry.Key) {
			b.problem(b.here(place{line: key.Position.Line, column: key.Position.Column}), RuleDoubledKey, "%s is written twice, or is no name; remove one", shown(child(path, short(key.Value))))
		} else if b.takesBack(entry, element) {
			b.marks.taken[element] = at
		} else {
			b.marks.places[element] = at
			value := reflect.New(v.Type().Elem()).Elem()
			b.value(entry.Value, value, element)
			v.SetMapIndex(reflect.ValueOf(key.Value), value)
		}
		b.file = before
	}
}

// valuesOf is what a map of type t holds, in words.
func valuesOf(t reflect.Type) string {
	if t.Elem().Kind() == reflect.String {
		return "texts"
	}
	return "values"
}

// plain fills text, numbers and truth values. Nothing is converted: what looks
// like a number is no name.
func (b *binder) plain(node ast.Node, v reflect.Value, path string) {
	text, _ := scalarText(node)
	switch v.Kind() {
	case reflect.String:
		if node.Type() == ast.StringType || node.Type() == ast.LiteralType {
			filled := b.fill(text, path)
			v.SetString(filled)
			if indent, ok := inlineText(node.GetToken()); ok && filled == text {
				b.marks.inline[path] = indent
			}
			return
		}
		b.breaks(path, RuleWrongType, "%s is %s; write text%s", shown(path), typeName(node), quoted(node))
	case reflect.Bool:
		if truth, ok := node.(*ast.BoolNode); ok {
			v.SetBool(truth.Value)
			return
		}
		b.breaks(path, RuleWrongType, "%s is %s; write true or false", shown(path), typeName(node))
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err == nil && node.Type() == ast.IntegerType && integerText.MatchString(text) {
			v.SetInt(int64(n))
			return
		}
		b.breaks(path, RuleWrongType, "%s is %s; write a whole number", shown(path), typeName(node))
	}
}

// breaks notes a problem of the value at path, which stays unset.
func (b *binder) breaks(path, rule, format string, args ...any) {
	b.marks.broken[path] = true
	b.problem(b.marks.at(path), rule, format, args...)
}

func (b *binder) problem(at place, rule, format string, args ...any) {
	b.problems = append(b.problems, at.problem(rule, format, args...))
}

// fieldsOf gives the index of every field by its key in a policy file.
func fieldsOf(t reflect.Type) map[string]int {
	fields := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		fields[t.Field(i).Tag.Get("yaml")] = i
	}
	return fields
}

// keysOf lists the keys of a raw struct in the order of its fields.
func keysOf(t reflect.Type) []string {
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i] = t.Field(i).Tag.Get("yaml")
	}
	return keys
}
