package predict

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"greenlight/check/dataset"
	"greenlight/policy"
)

// field is one named thing that a request carries for each row.
type field struct {
	name     string
	datatype datatype // 0: each cell goes as what it is
	columns  []int    // positions in a row
}

// plan is what a policy asks to be sent, matched with the columns of a data set.
type plan struct {
	spec   policy.Predict
	schema *dataset.Schema // nil if no rows are sent
	// columns are sent as they stand, where the policy names no inputs.
	columns []int
	inputs  []field // as the policy names them
}

func newPlan(spec policy.Predict, schema *dataset.Schema) (*plan, error) {
	p := &plan{spec: spec, schema: schema}
	if schema == nil {
		return p, nil
	}
	used := slices.Clone(spec.Reserved)
	for _, in := range spec.Inputs {
		f := field{name: in.Name, datatype: datatypeFP64}
		if in.Datatype != "" {
			f.datatype = datatypes[in.Datatype]
			if f.datatype == 0 {
				return nil, fmt.Errorf("input %q: %q is no datatype", in.Name, in.Datatype)
			}
		}
		names := in.Columns
		if len(names) == 0 {
			names = []string{in.Name}
		}
		var err error
		if f.columns, err = p.positions(names); err != nil {
			return nil, fmt.Errorf("input %q: %w", in.Name, err)
		}
		used = append(used, names...)
		p.inputs = append(p.inputs, f)
	}
	if len(spec.Columns) > 0 {
		var err error
		p.columns, err = p.positions(spec.Columns)
		return p, err
	}
	for i, name := range schema.Columns {
		if !slices.Contains(used, name) {
			p.columns = append(p.columns, i)
		}
	}
	if len(p.columns)+len(p.inputs) == 0 && spec.Request == "" {
		return nil, fmt.Errorf("%s has no column left that the model could be sent; name them in predict.columns", schema.File)
	}
	return p, nil
}

func (p *plan) positions(names []string) ([]int, error) {
	var all []int
	for _, name := range names {
		i := p.schema.Index(name)
		if i < 0 {
			return nil, fmt.Errorf("%s has no column %q; it has %s", p.schema.File, name, Shorten(strings.Join(p.schema.Columns, ", ")))
		}
		all = append(all, i)
	}
	return all, nil
}

// tensors is what a protocol of tensors sends: the inputs, else all columns as
// one tensor of numbers.
func (p *plan) tensors() []field {
	if len(p.inputs) > 0 || p.schema == nil {
		return p.inputs
	}
	return []field{{name: "input", datatype: datatypeFP64, columns: p.columns}}
}

// named is what a protocol of named columns sends: the inputs, else each column.
func (p *plan) named() []field {
	if len(p.inputs) > 0 || p.schema == nil {
		return p.inputs
	}
	fields := make([]field, len(p.columns))
	for i, c := range p.columns {
		fields[i] = field{name: p.schema.Columns[c], columns: []int{c}}
	}
	return fields
}

// cannot says that a cell can't be sent.
func (p *plan) cannot(row dataset.Row, column int, format string, args ...any) error {
	return &dataset.Error{
		File: p.schema.File, Line: row.Line,
		Problem: fmt.Sprintf("column %q ", p.schema.Columns[column]) + fmt.Sprintf(format, args...),
	}
}

func (p *plan) wrongType(row dataset.Row, column int, v *dataset.Value, f *field) error {
	return p.cannot(row, column, "holds %s, which is not the %v that input %q takes; correct the row, or the input's datatype in the policy",
		described(v), f.datatype, f.name)
}

func described(v *dataset.Value) string {
	switch v.Kind {
	case dataset.Null:
		return "nothing"
	case dataset.List:
		return "a list"
	default:
		s, _ := v.Text()
		return strconv.Quote(Shorten(s))
	}
}

// shape is the shape of what one row has of f, and that every row has to have:
// that of the list that the field's only column holds, else the number of
// columns.
func (f *field) shape(into []int, rows []dataset.Row) []int {
	if len(f.columns) != 1 || len(rows) == 0 {
		return append(into, len(f.columns))
	}
	v := &rows[0].Values[f.columns[0]]
	if v.Kind != dataset.List {
		return append(into, 1)
	}
	for v.Kind == dataset.List {
		into = append(into, len(v.List))
		if len(v.List) == 0 {
			break
		}
		v = &v.List[0]
	}
	return into
}

// appender appends one scalar; false if it is not of that type.
type appender func(buf []byte, d datatype, v *dataset.Value) ([]byte, bool)

// appendTensor appends all cells of f in row-major order. Every row has to have shape.
func (p *plan) appendTensor(buf []byte, f *field, shape []int, rows []dataset.Row, add appender) ([]byte, error) {
	for _, row := range rows {
		for _, c := range f.columns {
			v := &row.Values[c]
			if v.Kind != dataset.List && (len(f.columns) > 1 || len(shape) == 1 && shape[0] == 1) {
				var ok bool
				if buf, ok = add(buf, f.datatype, v); !ok {
					return nil, p.wrongType(row, c, v, f)
				}
				continue
			}
			if len(f.columns) > 1 {
				return nil, p.cannot(row, c, "holds a list, and input %q has several columns; give the list an input of its own", f.name)
			}
			var err error
			if buf, err = p.appendList(buf, f, shape, row, v, add); err != nil {
				return nil, err
			}
		}
	}
	return buf, nil
}

func (p *plan) appendList(buf []byte, f *field, shape []int, row dataset.Row, v *dataset.Value, add appender) ([]byte, error) {
	if len(shape) == 0 {
		buf, ok := add(buf, f.datatype, v)
		if !ok {
			return nil, p.wrongType(row, f.columns[0], v, f)
		}
		return buf, nil
	}
	if v.Kind != dataset.List || len(v.List) != shape[0] {
		return nil, p.cannot(row, f.columns[0], "holds a list of another shape than other rows or elements; all have to have the same")
	}
	for i := range v.List {
		var err error
		if buf, err = p.appendList(buf, f, shape[1:], row, &v.List[i], add); err != nil {
			return nil, err
		}
	}
	return buf, nil
}
