package policy

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// builtIn is where a value comes from that nobody wrote.
const builtIn = "default"

// field is one key of a written-out document, with what it holds: fields, items
// that have fields, or a value. Of a value nil means null.
type field struct {
	key    string
	path   string
	value  any // text, whole number, json.Number, truth value, list of texts
	fields []field
	items  [][]field // nil if it is no list of mappings
	from   string    // where the value was written
}

// fieldWriter turns a raw document into fields, in the order of the format.
type fieldWriter struct {
	document *document
	// preset is how many checks a validate list has in front that nobody wrote.
	preset int
}

// mapping lists the written keys of a raw struct.
func (w fieldWriter) mapping(v reflect.Value, path string) []field {
	all := []field{}
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		f := field{key: key, path: child(path, key)}
		if w.fill(&f, v.Field(i)) {
			all = append(all, f)
		}
	}
	return all
}

// fill takes a raw value; it answers false if the key is not there at all.
func (w fieldWriter) fill(f *field, v reflect.Value) bool {
	f.from = w.origin(f.path)
	if at, taken := w.document.marks.taken[f.path]; taken && v.IsZero() {
		f.from = w.at(at)
		return true
	}
	if missing(v) {
		if v.Kind() != reflect.Pointer || !w.takenBelow(f.path) {
			return false
		}
		v = reflect.New(v.Type().Elem())
	}
	v = reflect.Indirect(v)
	if word, ok := v.Interface().(worded); ok {
		f.value = word.word()
		return true
	}
	switch v.Kind() {
	case reflect.Struct:
		f.fields = w.mapping(v, f.path)
	case reflect.Map:
		parameters := v.Interface().(map[string]string)
		for _, key := range slices.Sorted(maps.Keys(parameters)) {
			at := child(f.path, key)
			f.fields = append(f.fields, field{key: key, path: at, value: parameters[key], from: w.origin(at)})
		}
	case reflect.Slice:
		w.list(f, v)
	case reflect.String:
		f.value = v.String()
	default:
		f.value = v.Interface()
	}
	return true
}

// missing: a list that is written but empty is not.
func missing(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return v.IsNil()
	}
	return false
}

func (w fieldWriter) list(f *field, v reflect.Value) {
	if v.Type().Elem().Kind() == reflect.String {
		texts := make([]string, v.Len())
		for i := range texts {
			texts[i] = v.Index(i).String()
		}
		f.value = texts
		return
	}
	f.items = [][]field{}
	for i := range v.Len() {
		f.items = append(f.items, w.mapping(v.Index(i), item(f.path, i)))
	}
}

// origin says where the value at path was written: file and line, or that it is
// built in.
func (w fieldWriter) origin(path string) string {
	path, read := w.read(path)
	if !read {
		return builtIn
	}
	marks := w.document.marks
	at, written := marks.places[path]
	if short := shorthand(path); short != "" && !written {
		at, written = marks.places[short]
	}
	if !written {
		return builtIn
	}
	return w.at(at)
}

func (w fieldWriter) at(p place) string {
	return fmt.Sprintf("%s:%d", cmp.Or(p.file, w.document.file), p.line)
}

// shorthand is the path of a value that may be written without its key: a step may
// be its weight alone, and what should be live a color.
func shorthand(path string) string {
	step, ok := strings.CutSuffix(path, ".weight")
	switch {
	case ok && strings.HasSuffix(step, "]"):
		return step
	case path == "spec.live.color":
		return "spec.live"
	}
	return ""
}

// takenBelow reports whether something in the mapping at path was taken back
// whose null has to stay, although nothing else of the mapping is there.
func (w fieldWriter) takenBelow(path string) bool {
	for taken := range w.document.marks.taken {
		if strings.HasPrefix(taken, path+".") {
			return true
		}
	}
	return false
}

// read is the path at which the document has what is written out at path; not if
// nobody wrote it.
func (w fieldWriter) read(path string) (string, bool) {
	const list = "spec.validate["
	rest, found := strings.CutPrefix(path, list)
	if !found || w.preset == 0 {
		return path, true
	}
	number, rest, _ := strings.Cut(rest, "]")
	index, err := strconv.Atoi(number)
	if err != nil || index < w.preset {
		return "", false
	}
	return list + strconv.Itoa(index-w.preset) + "]" + rest, true
}

// plain reports whether the field holds a value and nothing below it.
func (f field) plain() bool { return f.fields == nil && f.items == nil }
