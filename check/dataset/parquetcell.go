package dataset

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// chunkReader reads the values of one column in one row group.
type chunkReader struct {
	values parquet.ColumnChunkValueReader
	buffer [64]parquet.Value // may refer to the present page: valid until the next is read
	at, n  int
}

// peek is the next value; false at the chunk's end.
func (c *chunkReader) peek() (parquet.Value, bool, error) {
	if c.at == c.n {
		n, err := c.values.ReadValues(c.buffer[:])
		c.at, c.n = 0, n
		if n == 0 {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return parquet.Value{}, false, err
		}
	}
	return c.buffer[c.at], true, nil
}

// cellReader makes the cells of one column of its leaf's values.
type cellReader struct {
	convert convert
	list    bool
	// From these definition levels on there is a list (it may be empty), an item
	// in it (it may be null), and a value. Without a list only the last counts.
	listAt, itemAt, valueAt int
}

// maxItems is how many items a list may have.
const maxItems = 1 << 20

// newCellReader looks at a column of the first level; its error says what is
// wrong with it, to be read after "is".
func newCellReader(field *parquet.Column, maxText int) (cellReader, error) {
	leaf, err := leafOf(field)
	if err != nil {
		return cellReader{}, err
	}
	c := cellReader{list: leaf.MaxRepetitionLevel() > 0, valueAt: leaf.MaxDefinitionLevel()}
	if c.list {
		if !field.Repeated() && field.Optional() {
			c.listAt = 1
		}
		c.itemAt = c.listAt + 1
	}
	c.convert, err = converterOf(leaf.Type(), maxText)
	return c, err
}

// leafOf finds the values of a column: the column itself, a repeated one, or a
// list in one of the forms that the format allows: of two levels (old writers)
// or of three.
func leafOf(field *parquet.Column) (*parquet.Column, error) {
	if field.Leaf() {
		return field, nil
	}
	inner := field.Columns()
	if field.Repeated() || len(inner) != 1 || !inner[0].Repeated() || !isList(field.Type()) {
		return nil, errors.New("a struct or a map; only plain values and lists of them can be read: write its fields as columns of their own")
	}
	item := inner[0]
	if !item.Leaf() && len(item.Columns()) == 1 {
		item = item.Columns()[0]
	}
	if !item.Leaf() || item != inner[0] && item.Repeated() {
		return nil, errors.New("a list of lists or of structs; only lists of plain values can be read")
	}
	return item, nil
}

func isList(t parquet.Type) bool {
	logical := t.LogicalType()
	if logical == nil {
		return false
	}
	_, is := logical.Value.(*format.ListType)
	return is
}

// read takes one row's values off the chunk.
func (c *cellReader) read(from *chunkReader) (Value, error) {
	v, some, err := from.peek()
	switch {
	case err != nil:
		return Value{}, fmt.Errorf("broken: %s", shortenWhy(err.Error()))
	case !some:
		return Value{}, errors.New("broken: it has fewer values than the file has rows")
	case v.RepetitionLevel() != 0:
		return Value{}, errors.New("broken: its row does not begin with a first value")
	}
	if !c.list {
		from.at++
		return c.value(v)
	}
	return c.readList(from)
}

func (c *cellReader) readList(from *chunkReader) (Value, error) {
	cell := Value{Kind: List}
	for n := 0; ; n++ {
		v, some, err := from.peek()
		if err != nil {
			return Value{}, fmt.Errorf("broken: %s", shortenWhy(err.Error()))
		}
		if !some || n > 0 && v.RepetitionLevel() == 0 {
			return cell, nil
		}
		if len(cell.List) == maxItems {
			return Value{}, fmt.Errorf("a list of more than %d items", maxItems)
		}
		from.at++
		switch level := v.DefinitionLevel(); {
		case level < c.listAt:
			cell = Value{}
		case level < c.itemAt:
			// An empty list.
		default:
			item, err := c.value(v)
			if err != nil {
				return Value{}, err
			}
			cell.List = append(cell.List, item)
		}
	}
}

func (c *cellReader) value(v parquet.Value) (Value, error) {
	if v.IsNull() || v.DefinitionLevel() < c.valueAt {
		return Value{}, nil
	}
	return c.convert(v)
}
