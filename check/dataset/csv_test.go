package dataset_test

import (
	"slices"
	"strings"
	"testing"

	"greenlight/check/dataset"
)

func TestCSVReadsRecords(t *testing.T) {
	f := open(t, write(t, "a.csv", "\uFEFFid,text,n\r\n1,\"a, \"\"b\"\"\r\nc\",2.5\r\n\r\n01,,-3\r\n"))
	if want := []string{"id", "text", "n"}; !slices.Equal(f.Schema().Columns, want) {
		t.Errorf("columns = %q, want %q", f.Schema().Columns, want)
	}
	wantRows(t, f, `2: 1i "a, \"b\"\nc" 2.5f`, `5: "01" null -3i`)
}

func TestCSVOnlyHeader(t *testing.T) {
	wantRows(t, open(t, write(t, "a.csv", "a,b\n")))
}

func TestCSVTakesNoCodeForANumber(t *testing.T) {
	// field -> the value it stands for, and its text as a label
	for field, want := range map[string][2]string{
		"0": {"0i", "0"}, "-7": {"-7i", "-7"}, "9223372036854775807": {"9223372036854775807i", "9223372036854775807"},
		"9223372036854775808": {`"9223372036854775808"`, "9223372036854775808"},
		"01":                  {`"01"`, "01"}, "-0": {`"-0"`, "-0"}, "+1": {`"+1"`, "+1"}, " 1": {`" 1"`, " 1"}, "1_0": {`"1_0"`, "1_0"},
		"0x1": {`"0x1"`, "0x1"}, ".5": {`".5"`, ".5"}, "5.": {`"5."`, "5."}, "1e5": {`"1e5"`, "1e5"}, "00.5": {`"00.5"`, "00.5"},
		"1e": {`"1e"`, "1e"}, "1e+": {`"1e+"`, "1e+"}, "1.5.2": {`"1.5.2"`, "1.5.2"}, "-": {`"-"`, "-"}, "٣": {`"٣"`, "٣"},
		"1.0": {"1f", "1"}, "0.10": {"0.1f(0.10)", "0.10"}, "0.1": {"0.1f", "0.1"}, "1e-05": {"1e-05f(1e-05)", "1e-05"},
		"1.5e+20": {"1.5e+20f", "150000000000000000000"}, "1E+2": {"100f", "100"}, "-0.0": {"-0f", "0"},
		"1e-400": {"0f", "0"}, "1.7976931348623157e+308": {"1.7976931348623157e+308f", "1.7976931348623157e+308"},
		"true": {"true", "true"}, "False": {"false", "false"}, "TRUE": {`"TRUE"`, "TRUE"},
		"NaN": {`"NaN"`, "NaN"}, "inf": {`"inf"`, "inf"}, "null": {`"null"`, "null"},
	} {
		rows := all(t, open(t, write(t, "a.csv", "x,y\n"+field+",1\n")))
		if got := show(rows[0].Values[0]); got != want[0] {
			t.Errorf("%s is read as %s, want %s", field, got, want[0])
		}
		if got, ok := rows[0].Values[0].Text(); !ok || got != want[1] {
			t.Errorf("%s as a label = %s, want %s", field, got, want[1])
		}
	}
}

func TestCSVErrorsSayWhereAndWhatToDo(t *testing.T) {
	for name, tc := range map[string]struct{ content, want string }{
		"empty":            {"", `x.csv: the file is empty; the first line names the columns`},
		"short row":        {"a,b\n1,2\n3\n", `x.csv:3: the row has 1 fields, the header 2; leave a field empty`},
		"long row":         {"a,b\n1,2\n\"x\ny\",2\n3,4,5\n", `x.csv:5: the row has 3 fields, the header 2`},
		"doubled column":   {"a,a\n", `x.csv: two columns are named "a"; rename one`},
		"no name":          {",a\n0,1\n", `x.csv: column 1 has no name; give it one, or leave it out (pandas: to_csv(index=False))`},
		"spaced name":      {"a, b\n", `x.csv: column " b" has white space around its name; remove it`},
		"semicolons":       {"a;b\n1;2\n", `x.csv:1: the only column is named a;b; separate columns by commas`},
		"bare quote":       {"a,b\né,7\" pipe\n", `x.csv:2:4: a quote within a field; put the whole field in quotes`},
		"quote goes on":    {"a,b\n1,\"x\"y\n", `x.csv:2:5: a quote that neither ends the field nor is doubled`},
		"quote open":       {"a,b\n1,\"x\n", `x.csv:`},
		"not UTF-8":        {"a,b\né,\"\n\xff\"\n", `x.csv:2:3: not UTF-8; save the file as UTF-8`},
		"header not UTF-8": {"a,\xff\n", `x.csv:1:3: not UTF-8`},
		"UTF-16":           {"\xff\xfea\x00", `x.csv:1:1: not UTF-8 but, as it seems, UTF-16`},
		"too large":        {"a,b\nü,1.5e+400\n", `x.csv:2:3: a number beyond the range of a 64-bit float: 1.5e+400`},
	} {
		t.Run(name, func(t *testing.T) {
			err := firstError(write(t, "x.csv", tc.content), dataset.Options{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error = %v\nwant %s", err, tc.want)
			}
		})
	}
}
