package plan

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
)

// leaf is a value of a policy by its key in the file, or, with group, something that
// has keys of its own, as far as it may be missing as a whole.
type leaf struct {
	path  string
	value string
	group bool
	order []string // of a list: the names of its items; nil otherwise
}

// leaves lists what two policies of one kind say, each in the order of its format. What
// has no value is left out, and so are the sections that are equal.
func leaves[P any](a, b *P, key func(string) string) (ofA, ofB []leaf) {
	x, y := leafWriter{key: key}, leafWriter{key: key}
	v, w := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range v.NumField() {
		if !reflect.DeepEqual(v.Field(i).Interface(), w.Field(i).Interface()) {
			x.value(v.Field(i), fieldName(v.Type(), i))
			y.value(w.Field(i), fieldName(w.Type(), i))
		}
	}
	return x.out, y.out
}

// fieldName is the name of a struct's field in JSON.
func fieldName(t reflect.Type, i int) string {
	name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
	return name
}

// unset reports whether a field is a number that stands for none.
func unset(v reflect.Value, i int) bool {
	_, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
	return strings.Contains(options, "omit") && v.Field(i).Kind() != reflect.Bool && v.Field(i).IsZero()
}

type leafWriter struct {
	key func(string) string
	out []leaf
}

func (w *leafWriter) mapping(v reflect.Value, path string) {
	for i := range v.NumField() {
		if !unset(v, i) {
			w.value(v.Field(i), below(path, fieldName(v.Type(), i)))
		}
	}
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (w *leafWriter) add(path, value string, group bool) {
	if at := w.key(path); at != "" && value != "" {
		w.out = append(w.out, leaf{path: at, value: Clean(value), group: group})
	}
}

// group is something that may be missing as a whole.
func (w *leafWriter) group(v reflect.Value, path string) {
	first := len(w.out)
	w.add(path, "{}", true)
	if len(w.out) == first {
		return // nobody writes it
	}
	w.mapping(v, path)
	w.out[first].value = summary(w.out[first], w.out[first+1:])
}

// summary writes a group on one line.
func summary(group leaf, inner []leaf) string {
	var parts []string
	for _, l := range inner {
		if !l.group && l.order == nil {
			parts = append(parts, strings.TrimPrefix(strings.TrimPrefix(l.path, group.path), ".")+": "+l.value)
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (w *leafWriter) value(v reflect.Value, path string) {
	if c, ok := v.Interface().(calendar.Calendar); ok {
		w.mapping(reflect.ValueOf(c.Plan()), path)
		return
	}
	if text, plain := word(v, path); plain {
		w.add(path, text, false)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			w.group(v.Elem(), path)
		}
	case reflect.Struct:
		w.mapping(v, path)
	case reflect.Map:
		for _, k := range slices.SortedFunc(maps.Keys(entries(v)), strings.Compare) {
			w.value(entries(v)[k], below(path, k))
		}
	case reflect.Slice:
		w.list(v, path)
	default:
		w.add(path, fmt.Sprint(v.Interface()), false)
	}
}

func entries(v reflect.Value) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	for _, k := range v.MapKeys() {
		out[k.String()] = v.MapIndex(k)
	}
	return out
}

// list names its items, so that one more in front does not change all behind it.
func (w *leafWriter) list(v reflect.Value, path string) {
	var order []string
	for i := range v.Len() {
		switch item := v.Index(i).Interface().(type) {
		case policy.Gate:
			w.group(v.Index(i), below(path, string(item.Metric)))
		case policy.QuantileGate:
			name := below(path, percentile(item.Quantile))
			w.duration(name, item.Max)
			w.ratio(name+"OfLive", item.OfLive)
		case policy.LatencyMax:
			w.add(below(path, percentile(item.Quantile)), "<"+calendar.PlainDuration(item.Max), false)
		default:
			name := strconv.Itoa(i)
			if approval, ok := item.(policy.Approval); ok {
				name = string(approval.Before)
			} else if named := v.Index(i).FieldByName("Name"); named.IsValid() && named.Kind() == reflect.String {
				name = named.String()
			}
			order = append(order, name)
			w.group(v.Index(i), path+"["+name+"]")
		}
	}
	if at := w.key(path); at != "" && len(order) > 0 {
		w.out = append(w.out, leaf{path: at, value: "[" + strings.Join(order, ", ") + "]", order: order})
	}
}

func (w *leafWriter) duration(path string, d time.Duration) {
	if d > 0 {
		w.add(path, calendar.PlainDuration(d), false)
	}
}

func (w *leafWriter) ratio(path string, r float64) {
	if r > 0 {
		w.add(path, plain(r), false)
	}
}

// percentile is the key of a quantile: 0.999 is p999.
func percentile(q float64) string {
	digits := strings.TrimPrefix(plain(q), "0.")
	if len(digits) == 1 {
		digits += "0"
	}
	return "p" + digits
}
