package predict

import (
	"encoding/binary"
	"math"

	"greenlight/check/dataset"
)

// datatype is one of Open Inference's.
type datatype uint8

const (
	datatypeBool datatype = iota + 1
	datatypeInt8
	datatypeInt16
	datatypeInt32
	datatypeInt64
	datatypeUint8
	datatypeUint16
	datatypeUint32
	datatypeUint64
	datatypeFP16
	datatypeBF16
	datatypeFP32
	datatypeFP64
	datatypeBytes
)

var datatypes = map[string]datatype{
	"BOOL": datatypeBool,
	"INT8": datatypeInt8, "INT16": datatypeInt16, "INT32": datatypeInt32, "INT64": datatypeInt64,
	"UINT8": datatypeUint8, "UINT16": datatypeUint16, "UINT32": datatypeUint32, "UINT64": datatypeUint64,
	"FP16": datatypeFP16, "BF16": datatypeBF16, "FP32": datatypeFP32, "FP64": datatypeFP64,
	"BYTES": datatypeBytes,
}

func (d datatype) String() string {
	for name, one := range datatypes {
		if one == d {
			return name
		}
	}
	return "unknown"
}

func (d datatype) isFloat() bool    { return d >= datatypeFP16 && d <= datatypeFP64 }
func (d datatype) isUnsigned() bool { return d >= datatypeUint8 && d <= datatypeUint64 }

// size is how many bytes an element has; 0 for BYTES, whose elements differ.
func (d datatype) size() int {
	switch d {
	case datatypeBool, datatypeInt8, datatypeUint8:
		return 1
	case datatypeInt16, datatypeUint16, datatypeFP16, datatypeBF16:
		return 2
	case datatypeInt32, datatypeUint32, datatypeFP32:
		return 4
	case datatypeBytes:
		return 0
	default:
		return 8
	}
}

// largest is the largest finite number of a floating-point type, rounding
// included: what lies beyond becomes an infinity.
func (d datatype) largest() float64 {
	switch d {
	case datatypeFP16:
		return 65519.99999999999
	case datatypeFP32, datatypeBF16:
		return math.MaxFloat32
	default:
		return math.MaxFloat64
	}
}

// fits reports whether an integer lies within the type.
func (d datatype) fits(i int64) bool {
	if d == datatypeBool {
		return i == 0 || i == 1
	}
	if d == datatypeUint64 {
		return i >= 0
	}
	bits := uint(8 * d.size())
	if d.isUnsigned() {
		return i >= 0 && i < 1<<bits
	}
	return bits == 64 || i >= -1<<(bits-1) && i < 1<<(bits-1)
}

// integer is a cell as an integer of type d; false if it is none.
func (d datatype) integer(v *dataset.Value) (int64, bool) {
	i := v.Int
	switch v.Kind {
	case dataset.Bool, dataset.Int:
	case dataset.Float:
		// Beyond 2^53 a float64 no longer says which integer was meant.
		if v.Float != math.Trunc(v.Float) || math.Abs(v.Float) > 1<<53 {
			return 0, false
		}
		i = int64(v.Float)
	default:
		return 0, false
	}
	return i, d.fits(i)
}

// float is a cell as a number of the floating-point type d; false if it is none.
func (d datatype) float(v *dataset.Value) (float64, bool) {
	f, ok := v.Number()
	return f, ok && math.Abs(f) <= d.largest()
}

// appendRaw appends a cell as raw bytes, little-endian; BYTES with their length
// before them. false if the cell is not of that type.
func appendRaw(buf []byte, d datatype, v *dataset.Value) ([]byte, bool) {
	switch {
	case d == datatypeBytes:
		s, ok := v.Text()
		return append(binary.LittleEndian.AppendUint32(buf, uint32(len(s))), s...), ok
	case d.isFloat():
		f, ok := d.float(v)
		return d.appendFloat(buf, f), ok
	default:
		i, ok := d.integer(v)
		return d.appendInteger(buf, uint64(i)), ok
	}
}

func (d datatype) appendInteger(buf []byte, u uint64) []byte {
	switch d.size() {
	case 1:
		return append(buf, byte(u))
	case 2:
		return binary.LittleEndian.AppendUint16(buf, uint16(u))
	case 4:
		return binary.LittleEndian.AppendUint32(buf, uint32(u))
	default:
		return binary.LittleEndian.AppendUint64(buf, u)
	}
}

func (d datatype) appendFloat(buf []byte, f float64) []byte {
	switch d {
	case datatypeFP16:
		return binary.LittleEndian.AppendUint16(buf, toHalf(f))
	case datatypeBF16:
		return binary.LittleEndian.AppendUint16(buf, toBrain(f))
	case datatypeFP32:
		return binary.LittleEndian.AppendUint32(buf, math.Float32bits(float32(f)))
	default:
		return binary.LittleEndian.AppendUint64(buf, math.Float64bits(f))
	}
}

// readInteger reads an element that has d's size.
func (d datatype) readInteger(b []byte) int64 {
	switch d {
	case datatypeBool, datatypeUint8:
		return int64(b[0])
	case datatypeInt8:
		return int64(int8(b[0]))
	case datatypeInt16:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case datatypeUint16:
		return int64(binary.LittleEndian.Uint16(b))
	case datatypeInt32:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	case datatypeUint32:
		return int64(binary.LittleEndian.Uint32(b))
	default:
		return int64(binary.LittleEndian.Uint64(b))
	}
}

func (d datatype) readFloat(b []byte) float64 {
	switch d {
	case datatypeFP16:
		return fromHalf(binary.LittleEndian.Uint16(b))
	case datatypeBF16:
		return float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16))
	case datatypeFP32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	default:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
}
