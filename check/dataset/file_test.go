package dataset_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"greenlight/check/dataset"
)

func TestOpenTakesOnlyRegularFilesOfAKnownFormat(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.csv")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "folder.jsonl")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	device := filepath.Join(dir, "zero.csv")
	if err := os.Symlink("/dev/zero", device); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		pipe:                        "pipe.csv: not a regular file",
		folder:                      "folder.jsonl: not a regular file",
		device:                      "zero.csv: not a regular file",
		write(t, "a.xlsx", "a\n"):   "a.xlsx: the format is told by the name, which must end in .jsonl, .ndjson, .csv or .parquet",
		write(t, "noending", "a\n"): "noending: the format is told by the name",
	} {
		_, err := dataset.Open(file, dataset.Options{})
		if _, is := errors.AsType[*dataset.Error](err); !is || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want %s", err, want)
		}
	}
	if _, err := dataset.Open(filepath.Join(dir, "none.csv"), dataset.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// A line without an end, and a quote that is never closed, cost no more memory
// than the limit says, however long they are.
func TestEndlessLineIsRefusedUnread(t *testing.T) {
	const size, limit = 2 << 30, 64 << 10
	for name, tc := range map[string]struct{ begin, want string }{
		"x.jsonl": {`{"a": 1}` + "\n" + `{"a": "`, "x.jsonl:2: the line is longer than 65536 bytes"},
		"x.csv":   {"a,b\n1,2\n\"", "x.csv:3: the row is longer than 65536 bytes"},
		"y.csv":   {"a,b\n1,2\n\"\n\n", "y.csv:3: the row is longer than 65536 bytes"},
		"z.csv":   {"a,b", "z.csv:1: the row is longer than 65536 bytes"},
		"z.jsonl": {"", "z.jsonl:1: the line is longer than 65536 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			file := write(t, name, tc.begin)
			if err := os.Truncate(file, size); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := firstError(file, dataset.Options{MaxLine: limit})
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error = %v, want %s", err, tc.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 20*limit {
				t.Errorf("%d bytes of memory were used for a limit of %d", used, limit)
			}
		})
	}
}

func TestALineAtTheLimitIsRead(t *testing.T) {
	const limit = 4096
	fits, beyond := strings.Repeat("x", limit-len(`{"a": ""}`)-1), strings.Repeat("x", limit-len(`{"a": ""}`))
	if err := firstError(write(t, "x.jsonl", `{"a": "`+fits+`"}`+"\n"), dataset.Options{MaxLine: limit}); err != nil {
		t.Error(err)
	}
	if err := firstError(write(t, "x.jsonl", `{"a": "`+beyond+`"}`+"\n"), dataset.Options{MaxLine: limit}); err == nil {
		t.Error("a line longer than the limit is read")
	}
	if err := firstError(write(t, "x.csv", "a,b\n1,"+strings.Repeat("x", limit-3)+"\n1,2\n"), dataset.Options{MaxLine: limit}); err != nil {
		t.Error(err)
	}
	if err := firstError(write(t, "x.csv", "a,b\n1,"+strings.Repeat("x", limit-2)+"\n1,2\n"), dataset.Options{MaxLine: limit}); err == nil {
		t.Error("a record longer than the limit is read")
	}
}

func TestTooManyColumns(t *testing.T) {
	for name, content := range map[string]string{
		"x.csv": "a,b,c\n1,2,3\n", "x.jsonl": `{"a": 1, "b": 2, "c": 3}`,
	} {
		if err := firstError(write(t, name, content), dataset.Options{MaxColumns: 2}); err == nil || !strings.Contains(err.Error(), "columns") {
			t.Errorf("%s: error = %v", name, err)
		}
	}
}

var twoRows = map[string]func(t *testing.T) string{
	"jsonl":   func(t *testing.T) string { return write(t, "x.jsonl", "{\"a\": 1}\n{\"a\": 2}\n") },
	"csv":     func(t *testing.T) string { return write(t, "x.csv", "a,b\n1,1\n2,2\n") },
	"parquet": func(t *testing.T) string { return parquetFile(t, []struct{ A int64 }{{1}, {2}}) },
}

func TestAFileThatIsReplacedIsReadAsItWas(t *testing.T) {
	for name, make := range twoRows {
		t.Run(name, func(t *testing.T) {
			file := make(t)
			f := open(t, file)
			other := write(t, "other", "something else")
			if err := os.Rename(other, file); err != nil {
				t.Fatal(err)
			}
			if rows := all(t, f); len(rows) != 2 || rows[1].Values[0].Int != 2 {
				t.Errorf("rows = %v", rows)
			}
		})
	}
}

func TestAFileThatIsWrittenToIsNoticed(t *testing.T) {
	for name, make := range twoRows {
		for change, do := range map[string]func(file string) error{
			"longer":  func(file string) error { return os.Truncate(file, 1<<20) },
			"shorter": func(file string) error { return os.Truncate(file, 3) },
			"touched": func(file string) error { return os.Chtimes(file, time.Now(), time.Now().Add(time.Hour)) },
		} {
			t.Run(name+" "+change, func(t *testing.T) {
				file := make(t)
				f := open(t, file)
				if n, err := f.Count(context.Background()); n != 2 || err != nil {
					t.Fatal(n, err)
				}
				half := f.Rows()
				defer func() { _ = half.Close() }()
				if _, err := half.Next(); err != nil {
					t.Fatal(err)
				}
				if err := do(file); err != nil {
					t.Fatal(err)
				}
				for _, r := range []*dataset.Reader{half, f.Rows()} {
					if _, err := drain(r); err == nil || !strings.Contains(err.Error(), "changed while it was read") {
						t.Errorf("error = %v", err)
					}
				}
			})
		}
	}
}

func TestReadersAreOfTheirOwn(t *testing.T) {
	for name, make := range twoRows {
		t.Run(name, func(t *testing.T) {
			f := open(t, make(t))
			a, b := f.Rows(), f.Rows()
			first, err := a.Next()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := a.Next(); err != nil {
				t.Fatal(err)
			}
			if row, err := b.Next(); err != nil || row.Values[0].Int != first.Values[0].Int {
				t.Errorf("the second reader begins with %v, %v", row, err)
			}
			for range 2 {
				if _, err := a.Next(); !errors.Is(err, io.EOF) {
					t.Errorf("at the end: %v", err)
				}
			}
			for range 2 {
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			}
			if _, err := b.Next(); err == nil || errors.Is(err, io.EOF) {
				t.Errorf("a closed reader answers %v", err)
			}
		})
	}
}

func TestCountIsCancelled(t *testing.T) {
	f := open(t, twoRows["csv"](t))
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("enough")
	cancel(why)
	if _, err := f.Count(ctx); !errors.Is(err, why) {
		t.Errorf("error = %v", err)
	}
}
