package policy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

func TestHoldsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		empty   bool
	}{
		"no.jsonl":         {"", true},
		"blank.ndjson":     {" \r\n\t\n", true},
		"one.jsonl":        {"\n{}\n", false},
		"broken.jsonl":     {"x", false}, // the check says what is wrong with it
		"long.jsonl":       {strings.Repeat("\n", maxPeek) + "{}", false},
		"no.csv":           {"", true},
		"head.csv":         {"a,b\n\n", true},
		"quoted.csv":       {"a,\"b\nc\"\n", true},
		"one.csv":          {"a,b\n1,2\n", false},
		"broken.csv":       {"a,\"b\n", false},
		"no.parquet":       {"", false},
		"empty.parquet":    {parquetOf(t), true},
		"one.parquet":      {parquetOf(t, parquetRow{1, "de", []float64{1, 2}}), false},
		"text.parquet":     {strings.Repeat("x", 100), false},
		"head.parquet":     {parquetOf(t)[4:], true}, // only its end is read
		"cut.parquet":      {parquetOf(t)[:50], false},
		"metadata.parquet": {strings.Repeat("\x19\xfc\xff\xff\x03", 20) + "\x50\x00\x00\x00PAR1", false},
	} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := holdsNothing(file); got != c.empty {
			t.Errorf("%s: holds nothing is %v", name, got)
		}
	}
	if holdsNothing(filepath.Join(t.TempDir(), "missing.csv")) || holdsNothing(t.TempDir()) {
		t.Error("what can't be read is said to be empty")
	}
}

type parquetRow struct {
	Amount  int64     `parquet:"amount"`
	Country string    `parquet:"country,optional"`
	Scores  []float64 `parquet:"scores,list"`
}

func parquetOf(t *testing.T, rows ...parquetRow) string {
	t.Helper()
	var file bytes.Buffer
	w := parquet.NewGenericWriter[parquetRow](&file, parquet.KeyValueMetadata("made", "by a test"))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.String()
}

// Whatever a file ends with, looking for its rows ends.
func FuzzParquetRows(f *testing.F) {
	f.Add([]byte("\x15\x02\x19\x0c\x16\x00"))
	f.Add([]byte("\x1c\x1c\x1c\x00"))
	f.Fuzz(func(_ *testing.T, metadata []byte) {
		_, _ = (&thriftReader{bytes.NewReader(metadata)}).rows()
	})
}
