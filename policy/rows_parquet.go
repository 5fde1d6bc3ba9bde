package policy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// The end of a Parquet file: its metadata, their length, and a magic word.
const (
	parquetMagic  = "PAR1"
	parquetTail   = 8
	maxParquetEnd = 16 << 20
)

// noParquetRows reports whether a Parquet file says that it has no row. Only that
// number is read; everything else about the file is left to the check.
func noParquetRows(from io.ReaderAt, size int64) bool {
	tail := make([]byte, parquetTail)
	if size < 2*parquetTail {
		return false
	}
	if _, err := from.ReadAt(tail, size-parquetTail); err != nil || string(tail[4:]) != parquetMagic {
		return false
	}
	length := int64(binary.LittleEndian.Uint32(tail))
	if length > maxParquetEnd || length > size-parquetTail {
		return false
	}
	metadata := make([]byte, length)
	if _, err := from.ReadAt(metadata, size-parquetTail-length); err != nil {
		return false
	}
	rows, err := (&thriftReader{bytes.NewReader(metadata)}).rows()
	return err == nil && rows == 0
}

// The types of Thrift's compact protocol.
const (
	thriftStop   = 0
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftStruct = 12
)

// numRows is the number of FileMetaData.num_rows.
const numRows = 3

const maxThriftDepth = 32

var errThrift = errors.New("not Thrift that can be read")

// thriftReader skips through a struct to the one field that is wanted. Whatever it
// reads it ends, for every step takes a byte of what is there.
type thriftReader struct{ from *bytes.Reader }

func (r *thriftReader) rows() (int64, error) {
	field := 0
	for {
		kind, number, err := r.field(field)
		switch {
		case err != nil:
			return 0, err
		case kind == thriftStop:
			return 0, errThrift
		case kind == thriftI64 && number == numRows:
			return binary.ReadVarint(r.from)
		}
		if err := r.skip(kind, 0); err != nil {
			return 0, err
		}
		field = number
	}
}

// field reads a field's head; before is the number of the field before it.
func (r *thriftReader) field(before int) (kind byte, number int, err error) {
	head, err := r.from.ReadByte()
	if err != nil {
		return 0, 0, errThrift
	}
	kind, number = head&0x0f, before+int(head>>4)
	if head>>4 == 0 && kind != thriftStop {
		long, err := binary.ReadVarint(r.from)
		if err != nil {
			return 0, 0, errThrift
		}
		number = int(long)
	}
	return kind, number, nil
}

func (r *thriftReader) skip(kind byte, depth int) error {
	if depth > maxThriftDepth {
		return errThrift
	}
	switch kind {
	case thriftTrue, thriftFalse: // the head of the field says it
		return nil
	case thriftByte:
		return r.pass(1)
	case thriftByte + 1, thriftByte + 2, thriftI64:
		_, err := binary.ReadUvarint(r.from)
		return err
	case thriftDouble:
		return r.pass(8)
	case thriftBinary:
		return r.text()
	case thriftList, thriftSet:
		return r.list(depth)
	case thriftStruct:
		return r.structure(depth)
	}
	return errThrift
}

func (r *thriftReader) pass(bytes uint64) error {
	if bytes > uint64(r.from.Len()) {
		return errThrift
	}
	_, err := r.from.Seek(int64(bytes), io.SeekCurrent)
	return err
}

func (r *thriftReader) text() error {
	length, err := binary.ReadUvarint(r.from)
	if err != nil {
		return errThrift
	}
	return r.pass(length)
}

func (r *thriftReader) list(depth int) error {
	head, err := r.from.ReadByte()
	if err != nil {
		return errThrift
	}
	count, kind := uint64(head>>4), head&0x0f
	if count == 15 {
		if count, err = binary.ReadUvarint(r.from); err != nil {
			return errThrift
		}
	}
	if count > uint64(r.from.Len()) { // each element has a byte at least
		return errThrift
	}
	if kind == thriftTrue || kind == thriftFalse {
		return r.pass(count)
	}
	for range count {
		if err := r.skip(kind, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (r *thriftReader) structure(depth int) error {
	field := 0
	for {
		kind, number, err := r.field(field)
		if err != nil || kind == thriftStop {
			return err
		}
		if err := r.skip(kind, depth+1); err != nil {
			return err
		}
		field = number
	}
}
