package dataset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// The library makes room for as much as a file says that it holds before it
// looks whether the file holds it, and no room at all can't be recovered from.
// So what a file says is held against its size, and against these limits, first.
const (
	// maxFooter bounds the file's own description in bytes.
	maxFooter = 64 << 20
	// maxPages bounds what the largest pages of all columns of a row group need
	// in memory together, for those are held at the same time.
	maxPages = 512 << 20
	// maxPageHeader bounds the description of one page in bytes; it may hold its
	// smallest and its largest text.
	maxPageHeader = 16 << 20
	// maxNesting bounds how deep descriptions are nested; the format needs 7.
	maxNesting = 16
	// valueCost is what the levels, offsets and index of one value need in a page.
	valueCost = 16
)

// checkFooter reads the footer's length and walks through the footer.
func checkFooter(file *io.SectionReader) error {
	const frame = 8 // the footer's length in four bytes, and "PAR1"
	var end [frame]byte
	if file.Size() < frame+4 {
		return errors.New("it is too short")
	}
	if _, err := file.ReadAt(end[:], file.Size()-frame); err != nil {
		return err
	}
	if magic := string(end[4:]); magic != "PAR1" {
		return fmt.Errorf("it ends with %q instead of PAR1", magic)
	}
	size := int64(binary.LittleEndian.Uint32(end[:4]))
	if size > file.Size()-frame-4 || size > maxFooter {
		return fmt.Errorf("its footer is said to have %d bytes", size)
	}
	footer := make([]byte, size)
	if _, err := file.ReadAt(footer, file.Size()-frame-size); err != nil {
		return err
	}
	w := thriftWalk{size: len(footer), in: new(thrift.CompactProtocol).NewReaderFromBytes(footer)}
	if err := w.structure(0); err != nil {
		return fmt.Errorf("its footer is broken: %w", err)
	}
	return nil
}

// checkPages walks through the page headers of a row group.
func checkPages(file io.ReaderAt, group *format.RowGroup) error {
	var need int64
	for i := range group.Columns {
		n, err := pagesNeed(file, &group.Columns[i].MetaData)
		if err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
		if need += n; need > maxPages {
			return fmt.Errorf("its pages need more than %d MiB of memory; write smaller pages, or fewer columns", maxPages>>20)
		}
	}
	return nil
}

// pagesNeed is how many bytes a column chunk needs in memory at most at a time.
func pagesNeed(file io.ReaderAt, chunk *format.ColumnMetaData) (int64, error) {
	at := chunk.DataPageOffset
	if chunk.DictionaryPageOffset != 0 {
		at = chunk.DictionaryPageOffset
	}
	if at < 0 || chunk.TotalCompressedSize < 0 {
		return 0, errors.New("it lies before the file's beginning")
	}
	var dictionary, page, values int64
	for end := at + chunk.TotalCompressedSize; at < end; {
		header, size, err := pageHeader(file, at, end)
		if err != nil {
			return 0, err
		}
		at += size + int64(header.CompressedPageSize)
		if header.CompressedPageSize < 0 || header.UncompressedPageSize < 0 || at > end {
			return 0, errors.New("a page reaches beyond its column")
		}
		n := pageValues(header)
		cost := int64(header.CompressedPageSize) + int64(header.UncompressedPageSize) + n*valueCost
		if header.Type == format.DictionaryPage {
			dictionary = max(dictionary, cost)
			continue
		}
		page = max(page, cost)
		if values += n; n < 0 || values > chunk.NumValues {
			return 0, fmt.Errorf("its pages have more values than the %d that it has", chunk.NumValues)
		}
	}
	return dictionary + page, nil
}

func pageValues(h *format.PageHeader) int64 {
	switch {
	case h.DataPageHeader.Valid:
		return int64(h.DataPageHeader.V.NumValues)
	case h.DataPageHeaderV2.Valid:
		return int64(h.DataPageHeaderV2.V.NumValues)
	case h.DictionaryPageHeader.Valid:
		return int64(h.DictionaryPageHeader.V.NumValues)
	}
	return 0
}

// pageHeader reads the header at an offset and says how long it is.
func pageHeader(file io.ReaderAt, at, end int64) (*format.PageHeader, int64, error) {
	for window := int64(512); ; window *= 8 {
		b := make([]byte, min(window, end-at))
		if n, err := file.ReadAt(b, at); n < len(b) {
			return nil, 0, fmt.Errorf("read page header: %w", err)
		}
		in := new(thrift.CompactProtocol).NewReaderFromBytes(b)
		header := new(format.PageHeader)
		err := thrift.NewDecoder(in).Decode(header)
		if err == nil {
			return header, int64(in.BytesRead()), nil
		}
		if int64(len(b)) == end-at || window >= maxPageHeader {
			return nil, 0, fmt.Errorf("read page header: %w", err)
		}
	}
}

// thriftWalk goes through a structure of Thrift's compact protocol and looks
// whether the lists in it are as long as they say.
type thriftWalk struct {
	in   thrift.BytesReader
	size int
}

func (w *thriftWalk) structure(depth int) error {
	for {
		field, err := w.in.ReadField()
		if err != nil {
			return err
		}
		switch field.Type {
		case thrift.STOP:
			return nil
		case thrift.TRUE, thrift.FALSE: // the value is in the type
			continue
		}
		if err := w.value(field.Type, depth); err != nil {
			return err
		}
	}
}

func (w *thriftWalk) value(t thrift.Type, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("it is nested more than %d deep", maxNesting)
	}
	var err error
	switch t {
	case thrift.TRUE, thrift.FALSE:
		_, err = w.in.ReadBool()
	case thrift.I8:
		_, err = w.in.ReadInt8()
	case thrift.I16:
		_, err = w.in.ReadInt16()
	case thrift.I32:
		_, err = w.in.ReadInt32()
	case thrift.I64:
		_, err = w.in.ReadInt64()
	case thrift.DOUBLE:
		_, err = w.in.ReadFloat64()
	case thrift.BINARY:
		_, err = w.in.ReadBytes()
	case thrift.STRUCT:
		return w.structure(depth + 1)
	case thrift.LIST, thrift.SET:
		list, err := w.in.ReadList()
		if err != nil {
			return err
		}
		return w.items(list.Size, depth, list.Type)
	case thrift.MAP:
		m, err := w.in.ReadMap()
		if err != nil {
			return err
		}
		return w.items(m.Size, depth, m.Key, m.Value)
	default:
		return fmt.Errorf("it has a field of the unknown type %d", t)
	}
	return err
}

// items goes through n times these types; each takes a byte at least.
func (w *thriftWalk) items(n int32, depth int, types ...thrift.Type) error {
	if left := w.size - w.in.BytesRead(); int(n) > left {
		return fmt.Errorf("a list of %d items in %d bytes", n, left)
	}
	for range n {
		for _, t := range types {
			if err := w.value(t, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}
