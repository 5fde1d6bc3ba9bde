package api_test

import (
	"google.golang.org/protobuf/reflect/protoreflect"
)

// unsetFields lists the fields below m that have no value: a message field
// that no conversion fills. Of a oneof, one member is enough.
func unsetFields(m protoreflect.Message, path string) []string {
	var out []string
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		here := path + "." + string(f.Name())
		switch {
		case !m.Has(f):
			if f.ContainingOneof() == nil {
				out = append(out, here)
			}
		case f.IsMap():
		case f.IsList() && f.Message() != nil:
			out = append(out, unsetFields(m.Get(f).List().Get(0).Message(), here)...)
		case f.Message() != nil && !wellKnown(f.Message()):
			out = append(out, unsetFields(m.Get(f).Message(), here)...)
		}
	}
	return out
}

func wellKnown(d protoreflect.MessageDescriptor) bool {
	return d.ParentFile().Package() == "google.protobuf"
}
