package dataset_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"greenlight/check/dataset"
)

func write(t testing.TB, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func open(t testing.TB, file string) *dataset.File {
	t.Helper()
	f, err := dataset.Open(file, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// all reads all rows of a file.
func all(t testing.TB, f *dataset.File) []dataset.Row {
	t.Helper()
	rows, err := drain(f.Rows())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.Count(context.Background()); err != nil || n != len(rows) {
		t.Fatalf("Count = %d, %v; there are %d rows", n, err, len(rows))
	}
	return rows
}

func drain(r *dataset.Reader) (rows []dataset.Row, err error) {
	defer func() { _ = r.Close() }()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
}

// firstError opens a file and reads it to the end.
func firstError(name string, o dataset.Options) error {
	f, err := dataset.Open(name, o)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = f.Count(context.Background())
	return err
}

// show writes a value so that its kind can be seen: null true 1i 1.5f "a" [1i null].
func show(v dataset.Value) string {
	switch v.Kind {
	case dataset.Null:
		return "null"
	case dataset.Bool:
		return fmt.Sprint(v.Int == 1)
	case dataset.Int:
		return fmt.Sprintf("%di", v.Int)
	case dataset.Float:
		if v.Str != "" {
			return fmt.Sprintf("%vf(%s)", v.Float, v.Str)
		}
		return fmt.Sprintf("%vf", v.Float)
	case dataset.String:
		return fmt.Sprintf("%q", v.Str)
	}
	var items []string
	for _, item := range v.List {
		items = append(items, show(item))
	}
	return "[" + strings.Join(items, " ") + "]"
}

func showRow(r dataset.Row) string {
	var cells []string
	for _, v := range r.Values {
		cells = append(cells, show(v))
	}
	return fmt.Sprintf("%d: %s", r.Line, strings.Join(cells, " "))
}

func wantRows(t *testing.T, f *dataset.File, want ...string) {
	t.Helper()
	rows := all(t, f)
	if len(rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(rows), len(want))
	}
	for i, row := range rows {
		if got := showRow(row); got != want[i] {
			t.Errorf("row %d:\n got %s\nwant %s", i+1, got, want[i])
		}
	}
}
