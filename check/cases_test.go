package check

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func parseOne(line string) (goldenCase, error) {
	return newCaseReader("f.jsonl", strings.NewReader(line), 1<<16).next()
}

func TestCaseTakesEveryField(t *testing.T) {
	c, err := parseOne(`{"request": {"a": [1, 2]}, "expect": {"y": 1.50}, "path": "/p?q=1", "name": "first", "tolerance": 0.25, "status": 201}`)
	if err != nil {
		t.Fatal(err)
	}
	if string(c.request) != `{"a": [1, 2]}` {
		t.Errorf("the request was not left as it was written: %s", c.request)
	}
	if c.path != "/p?q=1" || c.name != "first" || c.tolerance != 0.25 || c.status != 201 || c.where("f") != "f:1 (first)" {
		t.Errorf("got %+v", c)
	}
	if y := c.expect.(map[string]any)["y"]; y != json.Number("1.50") {
		t.Errorf("y = %#v", y)
	}
}

func TestCaseDefaults(t *testing.T) {
	c, err := parseOne(`{"request":null,"expect":1}`)
	if err != nil {
		t.Fatal(err)
	}
	if c.status != 200 || c.tolerance >= 0 || c.path != "" || c.where("f") != "f:1" {
		t.Errorf("got %+v", c)
	}
}

func TestBadCases(t *testing.T) {
	for name, c := range map[string]struct{ line, err string }{
		"not JSON":         {`hello`, `f.jsonl:1:1: not JSON: invalid character 'h' looking for beginning of value`},
		"cut off":          {`{"request":1,`, `f.jsonl:1:14: not JSON: unexpected end of JSON input`},
		"after umlauts":    {`{"name":"äöü" x}`, `f.jsonl:1:15: not JSON: invalid character 'x' after object key:value pair`},
		"two on a line":    {`{"request":1,"expect":1}{}`, `f.jsonl:1:25: not JSON: invalid character '{' after top-level value`},
		"a list":           {`[1]`, `f.jsonl:1:1: a case is a JSON object`},
		"a string":         {`"x"`, `f.jsonl:1:1: a case is a JSON object`},
		"unknown key":      {`{"request":1, "expected":1}`, `f.jsonl:1:15: unknown key "expected"; known are request,`},
		"doubled key":      {`{"request":1,"expect":1,"request":2}`, `f.jsonl:1:25: key "request" stands twice`},
		"no request":       {`{"expect":1}`, `f.jsonl:1: "request" is missing`},
		"no expect":        {`{"request":1}`, `f.jsonl:1: "expect" is missing`},
		"empty expect":     {`{"request":1,"expect":{}}`, `f.jsonl:1:23: expect is {}; must be a value that says something`},
		"path elsewhere":   {`{"request":1,"expect":1,"path":"http://x/"}`, `f.jsonl:1:32: path is "http://x/"; must be a path that begins with "/"`},
		"path not text":    {`{"request":1,"expect":1,"path":null}`, `f.jsonl:1:32: path is null; must be`},
		"bad path":         {`{"request":1,"expect":1,"path":"/%zz"}`, `must be a path`},
		"name not text":    {`{"request":1,"expect":1,"name":7}`, `f.jsonl:1:32: name is 7; must be a string`},
		"tolerance":        {`{"request":1,"expect":1,"tolerance":-1}`, `f.jsonl:1:37: tolerance is -1; must be a number, 0 or more`},
		"tolerance text":   {`{"request":1,"expect":1,"tolerance":"1"}`, `tolerance is "1"; must be`},
		"status":           {`{"request":1,"expect":1,"status":99}`, `f.jsonl:1:34: status is 99; must be a status code, 200 to 599`},
		"status fraction":  {`{"request":1,"expect":1,"status":200.5}`, `status is 200.5`},
		"NaN":              {`{"request":1,"expect":NaN}`, `f.jsonl:1:23: not JSON: invalid character 'N'`},
		"long value shown": {`{"request":1,"expect":1,"name":[` + strings.Repeat("1,", 500) + `1]}`, `…; must be a string`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseOne(c.line)
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v\n want %s", err, c.err)
			}
		})
	}
}

func TestReaderCountsLinesAndSkipsBlankOnes(t *testing.T) {
	r := newCaseReader("f", strings.NewReader("\n{\"request\":1,\"expect\":1}\r\n \t\n\n{\"request\":2,\"expect\":2}"), 1<<16)
	for _, want := range []int{2, 5} {
		c, err := r.next()
		if err != nil || c.line != want {
			t.Fatalf("line %d, %v; want line %d", c.line, err, want)
		}
	}
	for range 2 {
		if _, err := r.next(); !errors.Is(err, io.EOF) {
			t.Fatalf("%v at the end", err)
		}
	}
}

func TestReaderPassesOnReadErrors(t *testing.T) {
	broken := io.MultiReader(strings.NewReader(`{"request":1,`), iotestErr{})
	if _, err := newCaseReader("f", broken, 1<<16).next(); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "read f: ") {
		t.Errorf("got %v", err)
	}
}

var errDisk = errors.New("disk is gone")

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errDisk }

func TestCasesOfAWrittenFileComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOf(rapid.String()).Draw(t, "names")
		var b strings.Builder
		for _, n := range names {
			line, _ := json.Marshal(map[string]any{"request": n, "expect": []string{n}, "name": n})
			b.Write(line)
			b.WriteString(rapid.SampledFrom([]string{"\n", "\r\n", "\n\n"}).Draw(t, "end"))
		}
		r := newCaseReader("f", strings.NewReader(b.String()), 1<<16)
		for _, n := range names {
			c, err := r.next()
			if err != nil || c.name != n {
				t.Fatalf("name %q, %v; want %q", c.name, err, n)
			}
		}
		if _, err := r.next(); !errors.Is(err, io.EOF) {
			t.Fatalf("%v at the end", err)
		}
	})
}

func FuzzCases(f *testing.F) {
	f.Add([]byte(`{"request":{},"expect":{"outputs":[{"name":"y","data":[1]}]},"path":"/x","name":"n","tolerance":0.1,"status":200}`))
	f.Add([]byte("{\"request\":1,\n\"expect\":1}"))
	f.Add([]byte("\xff\xfe{}\n{\"a\":\"\\ud800\"}"))
	f.Add([]byte(`{"request":1,"request":`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newCaseReader("f", strings.NewReader(string(b)), 4096)
		for last := 0; ; {
			c, err := r.next()
			if line, ok := errors.AsType[*lineError](err); ok && (line.Line <= last || line.Column < 0 || line.Column > len(b)+1) {
				t.Fatalf("impossible place: %v", err)
			}
			if err != nil {
				return
			}
			if c.line <= last || !json.Valid(c.request) || c.status < 200 || c.expect == nil && !strings.Contains(string(b), "null") {
				t.Fatalf("impossible case: %+v", c)
			}
			last = c.line
			_ = validExpectation(c.expect)
		}
	})
}
