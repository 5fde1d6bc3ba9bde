package dataset_test

import (
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"greenlight/check/dataset"
)

// read holds whatever a file gives against what is promised of rows and errors.
func read(t *testing.T, name string, content []byte) {
	t.Helper()
	f, err := dataset.Open(write(t, name, string(content)), dataset.Options{MaxLine: 4096, MaxColumns: 50})
	if err != nil {
		wantProblem(t, err)
		return
	}
	defer func() { _ = f.Close() }()
	rows, err := drain(f.Rows())
	if err != nil {
		wantProblem(t, err)
	}
	for _, row := range rows {
		if row.Line < 1 || len(row.Values) != len(f.Schema().Columns) {
			t.Fatalf("row %+v of columns %q", row, f.Schema().Columns)
		}
		for _, v := range row.Values {
			wantWhole(t, v)
		}
	}
}

func wantProblem(t *testing.T, err error) {
	t.Helper()
	if _, is := errors.AsType[*dataset.Error](err); !is || !utf8.ValidString(err.Error()) || strings.ContainsAny(err.Error(), "\n\x00") {
		t.Fatalf("not an error to show: %T %q", err, err)
	}
}

func wantWhole(t *testing.T, v dataset.Value) {
	t.Helper()
	if text, ok := v.Text(); ok && !utf8.ValidString(text) {
		t.Fatalf("%+v is %q", v, text)
	}
	if n, ok := v.Number(); ok && (math.IsNaN(n) || math.IsInf(n, 0)) {
		t.Fatalf("%+v is %v", v, n)
	}
	for _, item := range v.List {
		wantWhole(t, item)
	}
}

func FuzzJSONL(f *testing.F) {
	f.Add([]byte("\uFEFF{\"a\": [1, null, \"x\"], \"b\": 1e5}\n\n{\"b\": true, \"a\": -0}\n"))
	f.Add([]byte("{\"a\": 1, \"a\": 2}"))
	f.Fuzz(func(t *testing.T, content []byte) { read(t, "x.jsonl", content) })
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("\uFEFFa,b\r\n1,\"x\"\"\r\ny\"\r\n\r\n-0.10,1e-05\n"))
	f.Add([]byte("a,b\n1,x\"y\n"))
	f.Fuzz(func(t *testing.T, content []byte) { read(t, "x.csv", content) })
}

func FuzzParquet(f *testing.F) {
	whole, err := os.ReadFile(parquetFile(f, someRows()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Fuzz(func(t *testing.T, content []byte) { read(t, "x.parquet", content) })
}
