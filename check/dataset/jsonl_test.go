package dataset_test

import (
	"slices"
	"strings"
	"testing"

	"greenlight/check/dataset"
)

func TestJSONLReadsEveryKindOfValue(t *testing.T) {
	f := open(t, write(t, "a.jsonl", "\uFEFF"+`{"i": 7, "f": 1.0, "s": "ä\u00e9\n", "b": true, "n": null, "l": [1, [2.5, "x"], null, []]}`+"\r\n"+`
{"l": [], "n": 1, "b": false, "s": "01", "f": 12345678901234567890, "i": -9223372036854775808}`))
	if want := []string{"i", "f", "s", "b", "n", "l"}; !slices.Equal(f.Schema().Columns, want) {
		t.Errorf("columns = %v, want %v", f.Schema().Columns, want)
	}
	if f.Schema().File != "a.jsonl" || f.Schema().Index("s") != 2 || f.Schema().Index("z") != -1 {
		t.Errorf("schema = %+v", f.Schema())
	}
	wantRows(t, f,
		`1: 7i 1f "äé\n" true null [1i [2.5f "x"] null []]`,
		`3: -9223372036854775808i 1.2345678901234567e+19f "01" false 1i []`,
	)
}

func TestJSONLErrorsSayWhereAndWhatToDo(t *testing.T) {
	const first = `{"a": 1, "b": 2}` + "\n"
	for name, tc := range map[string]struct{ content, want string }{
		"empty":            {"", `x.jsonl: there are no rows; write one JSON object per line: {"age": 42, "label": 1}`},
		"blank":            {"\n \n", `x.jsonl: there are no rows;`},
		"missing":          {first + `{"a": 1}`, `x.jsonl:2: column "b" is missing; give every row the columns of the first, with null`},
		"extra":            {first + `{"a": 1, "b": 2, "c": 3}`, `x.jsonl:2:18: column "c" is not in the first row; give every row the same columns`},
		"doubled":          {first + `{"a": 1, "a": 2}`, `x.jsonl:2:10: a key stands twice`},
		"doubled in first": {`{"a": 1, "a": 2}`, `x.jsonl:1:10: a key stands twice`},
		"object":           {first + `{"a": 1, "b": {"c": 1}}`, `x.jsonl:2:15: column "b" holds an object; write its keys as columns of their own`},
		"object in list":   {first + `{"a": 1, "b": [{"c": 1}]}`, `x.jsonl:2:16: column "b" holds an object`},
		"not an object":    {first + `[1, 2]`, `x.jsonl:2:1: a row is a JSON object with the columns as keys`},
		"no columns":       {`{}`, `x.jsonl: there are no columns`},
		"no name":          {`{"": 1}`, `x.jsonl: column 1 has no name`},
		"spaced name":      {`{" a": 1}`, `x.jsonl: column " a" has white space around its name`},
		"two on a line":    {first + `{"a": 1, "b": 2} {"a": 1, "b": 2}`, `x.jsonl:2:18: more text after the row; write one row per line`},
		"garbage after":    {first + `{"a": 1, "b": 2} x`, `x.jsonl:2:18: not JSON`},
		"cut":              {first + `{"a": 1, "b": "é`, `x.jsonl:2:17: not JSON: the line ends too early`},
		"NaN":              {first + `{"a": NaN, "b": 1}`, `x.jsonl:2:7: not JSON`},
		"number too large": {first + `{"a": 1e400, "b": 1}`, `x.jsonl:2:7: 1e400 is beyond the range of a 64-bit float`},
		"not UTF-8":        {first + "{\"a\": \"é\xff\", \"b\": 1}", `x.jsonl:2:9: not UTF-8; save the file as UTF-8`},
		"UTF-16":           {"\xff\xfe{\x00", `x.jsonl:1:1: not UTF-8 but, as it seems, UTF-16`},
		"half a surrogate": {first + `{"a": "\ud800", "b": 1}`, `x.jsonl:2:`},
		"too deep":         {`{"a": ` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, `nested more than 32 deep`},
	} {
		t.Run(name, func(t *testing.T) {
			err := firstError(write(t, "x.jsonl", tc.content), dataset.Options{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error = %v\nwant %s", err, tc.want)
			}
		})
	}
}
