package dataset

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// convert makes a cell of a value that is not null.
type convert func(parquet.Value) (Value, error)

// converterOf says how the values of a type are read; its error says why they
// can't be, to be read after "is".
func converterOf(t parquet.Type, maxText int) (convert, error) {
	var logical format.LogicalTypeValue
	if l := t.LogicalType(); l != nil {
		logical = l.Value
	}
	switch l := logical.(type) {
	case nil:
		return physical(t.Kind(), maxText)
	case *format.StringType, *format.EnumType, *format.JsonType:
		return textOf(maxText), nil
	case *format.IntType:
		if l.IsSigned {
			return physical(t.Kind(), maxText)
		}
		return unsigned(t.Kind())
	case *format.DecimalType:
		return decimal(t.Kind(), l)
	case *format.UUIDType:
		return uuid, nil
	case *format.DateType:
		return func(v parquet.Value) (Value, error) {
			return str(time.Unix(int64(v.Int32())*24*60*60, 0).UTC().Format(time.DateOnly)), nil
		}, nil
	case *format.TimeType:
		return instants(t.Kind(), l.Unit, "15:04:05.999999999")
	case *format.TimestampType:
		layout := "2006-01-02T15:04:05.999999999"
		if l.IsAdjustedToUTC {
			layout += "Z"
		}
		return instants(t.Kind(), l.Unit, layout)
	case *format.NullType:
		return func(parquet.Value) (Value, error) { return Value{}, nil }, nil
	}
	return nil, fmt.Errorf("of type %v; write it as a number or a string, or leave it out", logical)
}

// physical reads values that have no meaning beyond their bits.
func physical(kind parquet.Kind, maxText int) (convert, error) {
	switch kind {
	case parquet.Boolean:
		return func(v parquet.Value) (Value, error) {
			if v.Boolean() {
				return Value{Kind: Bool, Int: 1}, nil
			}
			return Value{Kind: Bool}, nil
		}, nil
	case parquet.Int32:
		return func(v parquet.Value) (Value, error) { return Value{Kind: Int, Int: int64(v.Int32())}, nil }, nil
	case parquet.Int64:
		return func(v parquet.Value) (Value, error) { return Value{Kind: Int, Int: v.Int64()}, nil }, nil
	case parquet.Float:
		return func(v parquet.Value) (Value, error) { return float(float64(v.Float())) }, nil
	case parquet.Double:
		return func(v parquet.Value) (Value, error) { return float(v.Double()) }, nil
	case parquet.ByteArray:
		return textOf(maxText), nil
	case parquet.Int96:
		return int96, nil
	}
	return nil, errors.New("of bytes of a fixed length; write it as a number or a string, or leave it out")
}

func str(s string) Value { return Value{Kind: String, Str: s} }

func float(f float64) (Value, error) {
	switch {
	case math.IsNaN(f):
		return Value{}, nil
	case math.IsInf(f, 0):
		return Value{}, errors.New("an infinity; write a number, or null where there is none")
	}
	return Value{Kind: Float, Float: f}, nil
}

func textOf(limit int) convert {
	return func(v parquet.Value) (Value, error) {
		b := v.ByteArray()
		if len(b) > limit {
			return Value{}, fmt.Errorf("text of %d bytes; at most %d can be read", len(b), limit)
		}
		if !utf8.Valid(b) {
			return Value{}, errors.New("bytes that are not UTF-8 text; write strings as UTF-8, and leave other bytes out")
		}
		return str(string(b)), nil // a copy: b belongs to the page
	}
}

func unsigned(kind parquet.Kind) (convert, error) {
	if kind == parquet.Int32 {
		return func(v parquet.Value) (Value, error) { return Value{Kind: Int, Int: int64(v.Uint32())}, nil }, nil
	}
	return func(v parquet.Value) (Value, error) {
		if n := v.Uint64(); n > math.MaxInt64 {
			return float(float64(n))
		}
		return Value{Kind: Int, Int: v.Int64()}, nil
	}, nil
}

func uuid(v parquet.Value) (Value, error) {
	b := v.ByteArray()
	if len(b) != 16 {
		return Value{}, fmt.Errorf("a UUID of %d bytes instead of 16", len(b))
	}
	h := hex.EncodeToString(b)
	return str(strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")), nil
}

// instants reads times since 1970, or since midnight.
func instants(kind parquet.Kind, unit format.TimeUnit, layout string) (convert, error) {
	if unit.Value == nil {
		return nil, errors.New("a time without a unit")
	}
	perSecond := int64(time.Second / unit.Value.Duration())
	return func(v parquet.Value) (Value, error) {
		n := v.Int64()
		if kind == parquet.Int32 {
			n = int64(v.Int32())
		}
		seconds, rest := n/perSecond, n%perSecond
		return str(time.Unix(seconds, rest*int64(unit.Value.Duration())).UTC().Format(layout)), nil
	}, nil
}

// julianEpoch is the Julian day of 1970-01-01.
const julianEpoch = 2_440_588

// int96 reads the timestamps of old writers: nanoseconds of a Julian day.
func int96(v parquet.Value) (Value, error) {
	n := v.Int96()
	nanos := int64(uint64(n[1])<<32 | uint64(n[0]))
	days := int64(n[2]) - julianEpoch
	return str(time.Unix(days*24*60*60, nanos).UTC().Format("2006-01-02T15:04:05.999999999Z")), nil
}

// maxScale is how many places a decimal may have; no writer has more digits.
const maxScale = 76

func decimal(kind parquet.Kind, t *format.DecimalType) (convert, error) {
	if t.Scale < 0 || t.Scale > maxScale {
		return nil, fmt.Errorf("a decimal with %d places; at most %d can be read", t.Scale, maxScale)
	}
	return func(v parquet.Value) (Value, error) {
		unscaled := new(big.Int)
		switch kind {
		case parquet.Int32:
			unscaled.SetInt64(int64(v.Int32()))
		case parquet.Int64:
			unscaled.SetInt64(v.Int64())
		default:
			b := v.ByteArray()
			if len(b) > 64 {
				return Value{}, fmt.Errorf("a decimal of %d bytes", len(b))
			}
			unscaled = twosComplement(b)
		}
		if t.Scale == 0 && unscaled.IsInt64() {
			return Value{Kind: Int, Int: unscaled.Int64()}, nil
		}
		return writtenFloat(pointed(unscaled, int(t.Scale)))
	}, nil
}

// twosComplement reads a big-endian signed integer.
func twosComplement(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// pointed writes unscaled / 10^places.
func pointed(unscaled *big.Int, places int) string {
	digits := new(big.Int).Abs(unscaled).String()
	if short := places + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	text := digits[:len(digits)-places]
	if places > 0 {
		text += "." + digits[len(digits)-places:]
	}
	if unscaled.Sign() < 0 {
		text = "-" + text
	}
	return text
}
