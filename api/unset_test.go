package api_test

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// unsetFields lists the fields below m that have no value: a message field
// that no conversion fills, once each. Of a oneof, one member is enough.
func unsetFields(m protoreflect.Message, path string) []string {
	var out []string
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		here := path + "." + string(f.Name())
		switch {
		case !m.Has(f):
			if of := f.ContainingOneof(); of == nil || of.IsSynthetic() {
				out = append(out, here)
			}
		case f.IsMap():
		case f.IsList() && f.Message() != nil:
			for l, i := m.Get(f).List(), 0; i < l.Len(); i++ {
				out = append(out, unsetFields(l.Get(i).Message(), here)...)
			}
		case f.Message() != nil && !wellKnown(f.Message()):
			out = append(out, unsetFields(m.Get(f).Message(), here)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func wellKnown(d protoreflect.MessageDescriptor) bool {
	return d.ParentFile().Package() == "google.protobuf"
}
