package dataset_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"

	"greenlight/check/dataset"
)

type everything struct {
	I8    int8             `parquet:"i8"`
	I64   int64            `parquet:"i64"`
	U32   uint32           `parquet:"u32"`
	U64   uint64           `parquet:"u64"`
	F32   float32          `parquet:"f32"`
	F64   *float64         `parquet:"f64,optional"`
	B     bool             `parquet:"b"`
	S     string           `parquet:"s,dict"`
	E     string           `parquet:"e,enum"`
	Raw   []byte           `parquet:"raw"`
	U     [16]byte         `parquet:"u,uuid"`
	D     int64            `parquet:"d,decimal(2:10)"`
	Day   int32            `parquet:"day,date"`
	At    time.Time        `parquet:"at,timestamp(millisecond)"`
	Of    int32            `parquet:"of,time(millisecond)"`
	Old   deprecated.Int96 `parquet:"old"`
	List  []int64          `parquet:"list,list"`
	Maybe []*string        `parquet:"maybe,list,optional"`
	Bare  []float64        `parquet:"bare"`
}

// parquetFile writes rows in groups of two.
func parquetFile[T any](t testing.TB, rows []T, o ...parquet.WriterOption) string {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, append(o, parquet.MaxRowsPerRowGroup(2))...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "x.parquet")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func someRows() []everything {
	x, nan, word := 0.1, math.NaN(), "w"
	at := time.Date(2026, 11, 30, 17, 5, 0, 250e6, time.UTC)
	one := everything{
		I8: -8, I64: math.MaxInt64, U32: math.MaxUint32, U64: math.MaxUint64, F32: 0.5, F64: &x, B: true, S: "ä", E: "red", Raw: []byte("raw"),
		U: [16]byte{0x12, 0x34, 15: 0xff}, D: -1234, Day: 20787, At: at, Of: 17*3600*1000 + 250,
		Old: deprecated.Int96{0, 0, 2440589}, List: []int64{1, 2}, Maybe: []*string{&word, nil}, Bare: []float64{1, 2},
	}
	two := everything{F64: &nan, D: 5, Maybe: nil, Old: deprecated.Int96{0, 0, 2440588}, At: time.Unix(0, 0), S: "ä"}
	return []everything{one, two, one}
}

func TestParquetReadsEveryKindOfValue(t *testing.T) {
	const (
		one = `-8i 9223372036854775807i 4294967295i 1.8446744073709552e+19f 0.5f 0.1f true "ä" "red" "raw" ` +
			`"12340000-0000-0000-0000-0000000000ff" -12.34f "2026-11-30" "2026-11-30T17:05:00.25Z" "17:00:00.25" "1970-01-02T00:00:00Z" ` +
			`[1i 2i] ["w" null] [1f 2f]`
		two = `0i 0i 0i 0i 0f null false "ä" "" "" "00000000-0000-0000-0000-000000000000" 0.05f "1970-01-01" "1970-01-01T00:00:00Z" "00:00:00" "1970-01-01T00:00:00Z" [] null []`
	)
	for name, o := range map[string][]parquet.WriterOption{
		"v2":     nil,
		"v1":     {parquet.DataPageVersion(1)},
		"zstd":   {parquet.Compression(&parquet.Zstd)},
		"snappy": {parquet.Compression(&parquet.Snappy), parquet.PageBufferSize(16)},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t, parquetFile(t, someRows(), o...))
			if got := f.Schema(); got.Columns[0] != "i8" || got.Index("bare") != 18 || len(got.Columns) != 19 {
				t.Errorf("schema = %+v", got)
			}
			wantRows(t, f, "1: "+one, "2: "+two, "3: "+one)
		})
	}
}

func TestParquetKeepsTheDigitsOfDecimals(t *testing.T) {
	type row struct {
		D int64 `parquet:"d,decimal(2:10)"`
		W int64 `parquet:"w,decimal(0:10)"`
	}
	rows := all(t, open(t, parquetFile(t, []row{{D: 110, W: 7}, {D: 100, W: -7}})))
	var got []string
	for _, r := range rows {
		d, _ := r.Values[0].Text()
		w, _ := r.Values[1].Text()
		got = append(got, d, w)
	}
	if want := []string{"1.10", "7", "1", "-7"}; !slices.Equal(got, want) {
		t.Errorf("labels = %q, want %q", got, want)
	}
}

func TestParquetOfManyRowsAndPages(t *testing.T) {
	type row struct {
		N    int64   `parquet:"n"`
		L    []int64 `parquet:"l,list"`
		Word *string `parquet:"word,optional,dict"`
	}
	var rows []row
	for i := range 5000 {
		r := row{N: int64(i), L: make([]int64, i%7)}
		if i%3 == 0 {
			word := fmt.Sprint("w", i%11)
			r.Word = &word
		}
		rows = append(rows, r)
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b, parquet.PageBufferSize(256), parquet.MaxRowsPerRowGroup(1700))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := all(t, open(t, write(t, "x.parquet", b.String())))
	if len(got) != len(rows) {
		t.Fatalf("%d rows, want %d", len(got), len(rows))
	}
	for i, r := range got {
		word, some := r.Values[2].Text()
		if r.Line != i+1 || r.Values[0].Int != int64(i) || len(r.Values[1].List) != i%7 || some != (i%3 == 0) || some && word != *rows[i].Word {
			t.Fatalf("row %d = %s", i+1, showRow(r))
		}
	}
}

func TestParquetErrors(t *testing.T) {
	type nested struct {
		A struct {
			B int64 `parquet:"b"`
		} `parquet:"a"`
	}
	type mapped struct {
		A map[string]int64 `parquet:"a"`
	}
	type lists struct {
		A []struct{ B int64 } `parquet:"a,list"`
	}
	type fixed struct {
		A [3]byte `parquet:"a"`
	}
	type infinite struct {
		A float64 `parquet:"a"`
	}
	type raw struct {
		A []byte `parquet:"a"`
	}
	for name, tc := range map[string]struct{ file, want string }{
		"struct":   {parquetFile(t, []nested{{}}), `x.parquet: column "a" is a struct or a map`},
		"map":      {parquetFile(t, []mapped{{}}), `x.parquet: column "a" is a struct or a map`},
		"lists":    {parquetFile(t, []lists{{}}), `x.parquet: column "a" is a list of lists or of structs`},
		"fixed":    {parquetFile(t, []fixed{{}}), `x.parquet: column "a" is of bytes of a fixed length; write it as a number or a string`},
		"infinity": {parquetFile(t, []infinite{{}, {math.Inf(-1)}}), `x.parquet:2: column "a": an infinity`},
		"bytes":    {parquetFile(t, []raw{{}, {[]byte{0xff}}}), `x.parquet:2: column "a": bytes that are not UTF-8`},
		"long":     {parquetFile(t, []raw{{make([]byte, 2<<20)}}), `x.parquet:1: column "a": text of 2097152 bytes; at most 1048576 can be read`},
		"empty":    {write(t, "x.parquet", ""), `x.parquet: not a Parquet file that can be read`},
		"no magic": {write(t, "x.parquet", "a,b\n1,2\n3,4\n5,6\n"), `x.parquet: not a Parquet file that can be read; write it again: it ends with "5,6\n" instead`},
		"footer":   {write(t, "x.parquet", "PAR1\xff\xff\xff\x7fPAR1"), `x.parquet: not a Parquet file that can be read; write it again: its footer is said to have 2147483647 bytes`},
	} {
		t.Run(name, func(t *testing.T) {
			if err := firstError(tc.file, dataset.Options{}); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error = %v\nwant %s", err, tc.want)
			}
		})
	}
}

// Every byte of a file is broken in turn, and every ending cut off: whatever
// comes of it, it is rows or an error.
func TestBrokenParquetIsAnError(t *testing.T) {
	whole, err := os.ReadFile(parquetFile(t, someRows()[:2], parquet.Compression(&parquet.Snappy)))
	if err != nil {
		t.Fatal(err)
	}
	name := write(t, "x.parquet", "")
	put := func(content []byte) {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range whole {
		for _, mask := range []byte{0xff, 0x01} {
			broken := slices.Clone(whole)
			broken[i] ^= mask
			put(broken)
			_ = firstError(name, dataset.Options{})
		}
	}
	for i := 0; i < len(whole); i += 7 {
		put(whole[:i])
		if err := firstError(name, dataset.Options{}); err == nil {
			t.Errorf("the first %d of %d bytes are read without an error", i, len(whole))
		}
	}
}
