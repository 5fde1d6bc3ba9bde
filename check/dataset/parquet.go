package dataset

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// openParquet reads Parquet: columns of plain values, and of lists of them.
// A column is one of the first level of the file's schema.
//
//   - Booleans are Bool, integers Int (an unsigned one beyond int64 is Float),
//     floating-point numbers Float; NaN is Null, as data frames mean it, and an
//     infinity is an error.
//   - Decimals are Int if they have no places and fit, else Float, with their
//     exact digits as Text.
//   - Strings, enums, JSON, UUIDs and bytes without a type are String.
//   - Dates, times and timestamps are String as ISO 8601 writes them:
//     2026-11-30, 17:05:00.25, 2026-11-30T17:05:00.25Z (without Z if they are
//     not of UTC).
//   - Structs, maps, lists of lists, and other types are errors.
//
// Rows are read row group by row group, a page of each column at a time.
func openParquet(f *File) (columns []string, start func() source, err error) {
	err = guard(f, func() error {
		if err := checkFooter(f.section()); err != nil {
			return err
		}
		opened, err := parquet.OpenFile(f.section(), f.opened.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
		if err != nil {
			return err
		}
		fields := opened.Root().Columns()
		if len(fields) > f.options.MaxColumns {
			return f.problem(0, 0, fmt.Sprintf("there are %d columns; at most %d can be read", len(fields), f.options.MaxColumns))
		}
		cells := make([]cellReader, len(fields))
		for i, field := range fields {
			columns = append(columns, field.Name())
			if cells[i], err = newCellReader(field, f.options.MaxLine); err != nil {
				return f.problem(0, 0, fmt.Sprintf("column %q is %v", shorten(field.Name()), err))
			}
		}
		start = func() source { return &parquetRows{file: f, parquet: opened, cells: cells} }
		return nil
	})
	return columns, start, err
}

// guard turns whatever f ends with into an error that can be shown. The
// library trusts a file in places, and panics where a broken one leads it.
func guard(file *File, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = file.broken(p)
		}
	}()
	err = f()
	if err == nil || err == io.EOF { //nolint:errorlint // A wrapped EOF is a file that ends too early.
		return err
	}
	if problem, is := err.(*Error); is { //nolint:errorlint // Made here, never wrapped.
		return problem
	}
	return file.broken(err)
}

func (f *File) broken(why any) error {
	return f.problem(0, 0, "not a Parquet file that can be read; write it again: "+shortenWhy(fmt.Sprint(why)))
}

// parquetRows reads one row group after the other.
type parquetRows struct {
	file    *File
	parquet *parquet.File
	cells   []cellReader // by column

	group  int            // the next to be read
	left   int64          // rows of the present one
	chunks []*chunkReader // of the present group, by column
	row    int            // rows read so far
}

func (r *parquetRows) close() error {
	return guard(r.file, func() error {
		for _, c := range r.chunks {
			_ = c.values.Close()
		}
		r.chunks = nil
		return nil
	})
}

func (r *parquetRows) next() (row Row, err error) {
	err = guard(r.file, func() error {
		for r.left == 0 {
			if err := r.nextGroup(); err != nil {
				return err
			}
		}
		r.row++
		r.left--
		row = Row{Line: r.row, Values: make([]Value, len(r.cells))}
		for i, c := range r.chunks {
			v, err := r.cells[i].read(c)
			if err != nil {
				return r.file.problem(r.row, 0, fmt.Sprintf("column %q: %v", shorten(r.file.schema.Columns[i]), err))
			}
			row.Values[i] = v
		}
		return nil
	})
	return row, err
}

// nextGroup goes on to the next row group; at the end of the file it returns io.EOF.
func (r *parquetRows) nextGroup() error {
	for i, c := range r.chunks {
		_, more, err := c.peek()
		if err != nil {
			return err
		}
		if more {
			return fmt.Errorf("column %q of row group %d has more values than rows", shorten(r.file.schema.Columns[i]), r.group-1)
		}
	}
	if err := r.close(); err != nil {
		return err
	}
	groups := r.parquet.RowGroups()
	if r.group == len(groups) {
		return io.EOF
	}
	group := groups[r.group]
	if r.left = group.NumRows(); r.left < 0 {
		return fmt.Errorf("row group %d has %d rows", r.group, r.left)
	}
	if err := checkPages(r.file.file, &r.parquet.Metadata().RowGroups[r.group]); err != nil {
		return fmt.Errorf("row group %d: %w", r.group, err)
	}
	chunks := group.ColumnChunks()
	if len(chunks) != len(r.cells) {
		return fmt.Errorf("row group %d has %d columns instead of %d", r.group, len(chunks), len(r.cells))
	}
	for _, c := range chunks {
		r.chunks = append(r.chunks, &chunkReader{values: parquet.NewColumnChunkValueReader(c)})
	}
	r.group++
	return nil
}
