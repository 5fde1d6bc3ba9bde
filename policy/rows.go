package policy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// maxPeek is how far into a data file is looked for its first row.
const maxPeek = 1 << 20

// emptyFiles looks into the files that a model's checks name, and lists those in
// which there surely is no row or case. What can't be read or told is not listed:
// the check will say more of it.
func emptyFiles(m *Model, root ground) map[string]bool {
	var empty map[string]bool
	looked := map[string]bool{}
	for _, list := range [][]Check{m.Validate, m.StepChecks.Checks, m.Bake.Checks} {
		for _, c := range list {
			for _, file := range c.files() {
				if looked[file] {
					continue
				}
				looked[file] = true
				if holdsNothing(root.onDisk(file)) {
					if empty == nil {
						empty = map[string]bool{}
					}
					empty[file] = true
				}
			}
		}
	}
	return empty
}

// files are the files of cases and rows that the check reads.
func (c Check) files() []string {
	var files []string
	switch {
	case c.Golden != nil:
		files = []string{c.Golden.File}
	case c.Quality != nil:
		files = []string{c.Quality.Data}
	case c.Drift != nil:
		files = []string{c.Drift.Data}
	case c.Latency != nil && c.Latency.Data != "":
		files = []string{c.Latency.Data}
	case c.Latency != nil:
		files = []string{c.Latency.Requests}
	}
	return files
}

func holdsNothing(file string) bool {
	opened, err := os.Open(file)
	if err != nil {
		return false
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	switch filepath.Ext(file) {
	case ".parquet":
		return noParquetRows(opened, info.Size())
	case ".csv":
		return noRecords(io.LimitReader(opened, maxPeek), info.Size())
	}
	return noLines(io.LimitReader(opened, maxPeek), info.Size())
}

// noLines reports whether a text holds nothing but white space.
func noLines(from io.Reader, size int64) bool {
	text, err := io.ReadAll(from)
	return err == nil && size <= maxPeek && len(bytes.TrimSpace(text)) == 0
}

// noRecords reports whether a CSV file ends after the names of its columns.
func noRecords(from io.Reader, size int64) bool {
	if size > maxPeek {
		return false
	}
	records := csv.NewReader(from)
	records.FieldsPerRecord = -1
	for range 2 {
		switch _, err := records.Read(); {
		case errors.Is(err, io.EOF):
			return true
		case err != nil:
			return false
		}
	}
	return false
}
