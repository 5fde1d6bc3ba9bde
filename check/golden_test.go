package check_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"greenlight/check"
	"greenlight/policy"
	"greenlight/rollout"
)

// inference is an Open Inference case whose one output is y, and what a good server answers.
const (
	inference = `{"request":{"inputs":[{"name":"x","shape":[2],"datatype":"FP64","data":[1,2]}]},` +
		`"expect":{"outputs":[{"name":"y","shape":[2],"datatype":"FP64","data":[0.5,0.25]}]}}`
	inferred = `{"model_name":"m","model_version":"7","id":"42","parameters":{"took":1},` +
		`"outputs":[{"name":"extra","datatype":"BOOL","shape":[1],"data":[true]},` +
		`{"name":"y","shape":[2],"datatype":"FP64","data":[0.5,0.25],"parameters":{"z":1}}]}`
)

func TestGoldenAsksEveryEndpointEveryCase(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	handler := func(id string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			seen[id+r.URL.Path+string(body)]++
			mu.Unlock()
			if r.Method != http.MethodPost || r.UserAgent() != "greenlight/check" || r.Header.Get("x-greenlight-check") != "golden" ||
				r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Accept-Encoding") != "" {
				t.Errorf("request %s %v", r.Method, r.Header)
			}
			_, _ = io.WriteString(w, `{"y":1}`)
		}
	}
	file := goldenFile(t, `{"request":{"n":1},"expect":{"y":1}}`, ``, `{"request":{"n":2},"expect":{"y":1},"path":"/other"}`)
	v := runOne(t, check.Options{}, golden(policy.PlainJSON, file), serve(t, "a", handler("a")), serve(t, "b", handler("b")))
	wantVerdict(t, v, rollout.Pass, "4 of 4 answers agree on 2 endpoints")
	wantFigures(t, v, map[string]float64{"cases": 2, "endpoints": 2, "passed": 4, "failed": 0, "maxError": 0})
	for _, want := range []string{`a/infer{"n":1}`, `a/other{"n":2}`, `b/infer{"n":1}`, `b/other{"n":2}`} {
		if seen[want] != 1 {
			t.Errorf("%s was sent %d times", want, seen[want])
		}
	}
}

func TestGoldenOpenInferenceAnswers(t *testing.T) {
	outputs := func(y string) string { return `{"outputs":[` + y + `]}` }
	for name, c := range map[string]struct {
		answer  string
		problem string // "expected …, got …"; empty: agrees
	}{
		"good":             {inferred, ""},
		"nested":           {outputs(`{"name":"y","shape":[2],"datatype":"FP64","data":[[0.5],[0.25]]}`), ""},
		"within tolerance": {outputs(`{"name":"y","shape":[2],"datatype":"FP64","data":[0.5000009,0.25]}`), ""},
		"too far":          {outputs(`{"name":"y","shape":[2],"datatype":"FP64","data":[0.5,0.250002]}`), "expected outputs[y].data[1] = 0.25 ± 1e-06, got 0.250002"},
		"error body":       {`{"error":"boom"}`, `expected outputs = 1 tensor, got an answer without outputs: {"error":"boom"}`},
		"other output":     {outputs(`{"name":"z","shape":[2],"datatype":"FP64","data":[0.5,0.25]}`), "expected outputs[y] = a tensor, got only z"},
		"no output":        {outputs(``), "got only no output"},
		"null outputs":     {`{"outputs":null}`, "an answer without outputs"},
		"wrong shape":      {outputs(`{"name":"y","shape":[1,2],"datatype":"FP64","data":[0.5,0.25]}`), "expected outputs[y].shape = 1 element: [2], got 2 elements: [1,2]"},
		"wrong datatype":   {outputs(`{"name":"y","shape":[2],"datatype":"FP32","data":[0.5,0.25]}`), `expected outputs[y].datatype = "FP64", got "FP32"`},
		"too little data":  {outputs(`{"name":"y","shape":[2],"datatype":"FP64","data":[0.5]}`), "expected outputs[y].data = 2 values, got 1 value"},
		"no data":          {outputs(`{"name":"y","shape":[2],"datatype":"FP64"}`), "expected outputs[y].data = 2 values, got 1 value"},
		"strings":          {outputs(`{"name":"y","shape":[2],"datatype":"FP64","data":["0.5",0.25]}`), `got "0.5"`},
		"null in data":     {outputs(`{"name":"y","shape":[2],"datatype":"FP64","data":[null,0.25]}`), `got null`},
		"NaN":              {outputs(`{"name":"y","shape":[2],"datatype":"FP64","data":[NaN,0.25]}`), `expected outputs[y].data[0] = 0.5, got "NaN"`},
		"Infinity":         {outputs(`{"name":"y","shape":[2],"datatype":"FP64","data":[0.5,-Infinity]}`), `got "-Infinity"`},
		"overflow":         {outputs(`{"name":"y","shape":[2],"datatype":"FP64","data":[0.5,1e999]}`), `got 1e999`},
		"HTML":             {"<html><body>Welcome</body></html>", "expected JSON, got invalid character '<' looking for beginning of value: <html><body>Welcome"},
		"empty":            {"", "expected JSON, got empty"},
		"two values":       {`{} {}`, "more text after the JSON value"},
		"cut off":          {`{"outputs":[`, "expected JSON, got unexpected EOF"},
		"a list":           {`[]`, "expected an inference response, got []"},
		"strange outputs":  {`{"outputs":[1,null,"y"]}`, "expected outputs[y] = a tensor"},
	} {
		t.Run(name, func(t *testing.T) {
			v := runOne(t, check.Options{}, golden(policy.OpenInference, goldenFile(t, inference)), serve(t, "a", respond(200, c.answer)))
			if c.problem == "" {
				wantVerdict(t, v, rollout.Pass, "1 of 1 answers agree on 1 endpoint")
				return
			}
			wantVerdict(t, v, rollout.Fail, "1 of 1 answers differ on 1 of 1 endpoints; first: m.golden.jsonl:1 on green 127.0.0.1:", c.problem)
			wantFigures(t, v, map[string]float64{"cases": 1, "passed": 0, "failed": 1})
		})
	}
}

func TestGoldenTransportFailures(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		problem string
	}{
		"500":       {respond(500, `{"error":"boom"}`), `expected status 200, got status 500: {"error":"boom"}`},
		"redirect":  {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusTemporaryRedirect) }, `got status 307, a redirect to "/x"`},
		"too large": {respond(200, strings.Repeat(" ", 2000)+`{"y":1}`), "expected an answer of at most 1000 bytes, got a longer one"},
		"hang up": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // what is left of it would reset the connection
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		}, "EOF"},
		"cut off body": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"y":`)
		}, "status 200, then reading the body failed: unexpected EOF"},
		"gzip unasked": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte("\x1f\x8b\x08\x00"))
		}, "expected JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			file := goldenFile(t, `{"request":1,"expect":{"y":1},"name":"one"}`)
			v := runOne(t, check.Options{MaxBody: 1000}, golden(policy.PlainJSON, file), serve(t, "a", c.handler))
			wantVerdict(t, v, rollout.Fail, "m.golden.jsonl:1 (one)", c.problem)
		})
	}
	v := runOne(t, check.Options{}, golden(policy.PlainJSON, goldenFile(t, `{"request":1,"expect":1}`)), closedPort(t, "gone"))
	wantVerdict(t, v, rollout.Fail, "expected status 200 from POST /infer, got dial tcp", "connection refused")
}

func TestGoldenSlowDripTimesOut(t *testing.T) {
	drip := serve(t, "a", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	})
	c := golden(policy.PlainJSON, goldenFile(t, `{"request":1,"expect":{"y":1}}`))
	c.Timeout = 200 * time.Millisecond
	wantVerdict(t, runOne(t, check.Options{}, c, drip), rollout.Fail, "timed out after 200ms with 1 answer outstanding")
}

func TestGoldenPlainJSON(t *testing.T) {
	for name, c := range map[string]struct {
		line, answer string
		problem      string
	}{
		"extra keys":       {`{"request":1,"expect":{"a":{"b":[1,"x",true,null]}}}`, `{"z":0,"a":{"c":1,"b":[1,"x",true,null]}}`, ""},
		"missing key":      {`{"request":1,"expect":{"a":{"b":1}}}`, `{"a":{"c":1}}`, `expected a.b = 1, got no such key: {"c":1}`},
		"null is a value":  {`{"request":1,"expect":{"a":null}}`, `{}`, "no such key"},
		"longer array":     {`{"request":1,"expect":{"a":[1]}}`, `{"a":[1,2]}`, "expected a = 1 element: [1], got 2 elements: [1,2]"},
		"array order":      {`{"request":1,"expect":{"a":[1,2]}}`, `{"a":[2,1]}`, "expected a[0] = 1 ± 1e-06, got 2"},
		"not an array":     {`{"request":1,"expect":{"a":[1]}}`, `{"a":1}`, "expected a = an array: [1], got 1"},
		"not an object":    {`{"request":1,"expect":{"a":{"b":1}}}`, `{"a":[]}`, `expected a = an object: {"b":1}, got []`},
		"string":           {`{"request":1,"expect":{"a":"x"}}`, `{"a":"X"}`, `expected a = "x", got "X"`},
		"bool":             {`{"request":1,"expect":{"a":true}}`, `{"a":1}`, `expected a = true, got 1`},
		"own tolerance":    {`{"request":1,"expect":{"a":100},"tolerance":0.1}`, `{"a":109.5}`, ""},
		"tolerance 0":      {`{"request":1,"expect":{"a":1},"tolerance":0}`, `{"a":1.0000000001}`, "expected a = 1, got 1.0000000001"},
		"big integers":     {`{"request":1,"expect":{"a":9007199254740993}}`, `{"a":9007199254740992}`, "expected a = 9007199254740993, got 9007199254740992"},
		"expected status":  {`{"request":1,"expect":{"a":1},"status":201}`, `{"a":1}`, "expected status 201, got status 200"},
		"top-level list":   {`{"request":1,"expect":[1,2]}`, `[1,2.0000001]`, ""},
		"top-level string": {`{"request":1,"expect":"yes"}`, `"no"`, `expected "yes", got "no"`},
		"expected NaN":     {`{"request":1,"expect":{"a":"NaN"}}`, `{"a": NaN}`, ""},
		"unexpected NaN":   {`{"request":1,"expect":{"a":1}}`, `{"a": NaN, "b": "\"NaN"}`, `got "NaN"`},
	} {
		t.Run(name, func(t *testing.T) {
			v := runOne(t, check.Options{}, golden(policy.PlainJSON, goldenFile(t, c.line)), serve(t, "a", respond(200, c.answer)))
			if c.problem == "" {
				wantVerdict(t, v, rollout.Pass)
				return
			}
			wantVerdict(t, v, rollout.Fail, c.problem)
		})
	}
}

func TestGoldenExpectsAnErrorStatus(t *testing.T) {
	file := goldenFile(t, `{"request":{},"expect":{"error":"no inputs"},"status":400}`)
	for _, p := range []policy.PredictProtocol{policy.OpenInference, policy.PlainJSON} {
		v := runOne(t, check.Options{}, golden(p, file), serve(t, "a", respond(400, `{"error":"no inputs"}`)))
		wantVerdict(t, v, rollout.Pass)
	}
}

// A tolerance for probabilities must not let class 101 pass for class 100.
func TestGoldenIntegersAreExact(t *testing.T) {
	line := func(datatype string) string {
		return `{"request":{},"tolerance":0.05,"expect":{"outputs":[{"name":"y","datatype":"` + datatype + `","data":[100]}]}}`
	}
	answer := func(datatype string) string {
		return `{"outputs":[{"name":"y","datatype":"` + datatype + `","shape":[1],"data":[101]}]}`
	}
	for datatype, want := range map[string]rollout.Result{
		"FP16": rollout.Pass, "BF16": rollout.Pass, "FP64": rollout.Pass,
		"INT64": rollout.Fail, "UINT8": rollout.Fail, "BYTES": rollout.Fail,
	} {
		e := serve(t, "a", respond(200, answer(datatype)))
		v := runOne(t, check.Options{}, golden(policy.OpenInference, goldenFile(t, line(datatype))), e)
		wantVerdict(t, v, want)
		if v.Figures["maxError"] != 0.01 {
			t.Errorf("%s: maxError %v", datatype, v.Figures["maxError"])
		}
	}
}

func TestGoldenVaryingFieldsCountOnlyWhenNamed(t *testing.T) {
	file := goldenFile(t, `{"request":{},"expect":{"model_version":"8","outputs":[]}}`)
	v := runOne(t, check.Options{}, golden(policy.OpenInference, file), serve(t, "a", respond(200, inferred)))
	wantVerdict(t, v, rollout.Fail, `expected model_version = "8", got "7"`)
}

func TestGoldenEvidenceIsTheFirstTenLines(t *testing.T) {
	var lines []string
	for i := range 40 {
		lines = append(lines, fmt.Sprintf(`{"request":{"i":%d},"expect":{"i":%d}}`, i, i))
	}
	wrong := serve(t, "wrong", func(w http.ResponseWriter, r *http.Request) {
		var body struct{ I int }
		_ = json.NewDecoder(r.Body).Decode(&body)
		if body.I >= 6 {
			body.I *= 2
		}
		_, _ = fmt.Fprintf(w, `{"i":%d}`, body.I)
	})
	right := serve(t, "right", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	v := runOne(t, check.Options{}, golden(policy.PlainJSON, goldenFile(t, lines...)), wrong, right)
	wantVerdict(t, v, rollout.Fail, "34 of 80 answers differ on 1 of 2 endpoints; first: m.golden.jsonl:7 on green", "(wrong)")
	wantFigures(t, v, map[string]float64{"cases": 40, "endpoints": 2, "passed": 46, "failed": 34, "maxError": 1})
	for i, e := range v.Evidence {
		if want := fmt.Sprintf("m.golden.jsonl:%d", i+7); e.Case != want || !strings.Contains(e.Endpoint, "(wrong)") {
			t.Errorf("evidence %d is of %s on %s, want %s", i, e.Case, e.Endpoint, want)
		}
	}
}

func TestGoldenLimitsRequestsPerEndpoint(t *testing.T) {
	var now, most atomic.Int32
	e := serve(t, "a", func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(time.Millisecond)
		_, _ = io.WriteString(w, `{"y":1}`)
	})
	file := goldenFile(t, strings.Split(strings.Repeat(`{"request":1,"expect":{"y":1}} `, 60), " ")...)
	wantVerdict(t, runOne(t, check.Options{PerEndpoint: 2}, golden(policy.PlainJSON, file), e), rollout.Pass)
	if most.Load() != 2 {
		t.Errorf("%d requests at a time", most.Load())
	}
}

func TestGoldenFilesThatCannotBeUsed(t *testing.T) {
	asked := serve(t, "a", func(http.ResponseWriter, *http.Request) { t.Error("asked though the file is broken") })
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	good := `{"request":1,"expect":{"outputs":[]}}`
	for name, c := range map[string]struct{ file, problem string }{
		"missing":    {filepath.Join(t.TempDir(), "none.jsonl"), "no such file"},
		"folder":     {t.TempDir(), "not a regular file"},
		"pipe":       {fifo, "not a regular file"},
		"empty":      {goldenFile(t), "no cases in "},
		"blank":      {goldenFile(t, "", "  ", ""), "no cases in "},
		"long line":  {goldenFile(t, good, `{"request":"`+strings.Repeat("x", 2000)+`","expect":1}`), "m.golden.jsonl:2: the line is longer than 1000 bytes"},
		"bad JSON":   {goldenFile(t, good, `{"request":1,"expect":{"a":tru}}`), "m.golden.jsonl:2:31: not JSON: invalid character '}' in literal true"},
		"no tensors": {goldenFile(t, `{"request":1,"expect":{"outputs":[{"data":[1]}]}}`), "m.golden.jsonl:1: expect.outputs[0] is"},
		"doubled":    {goldenFile(t, `{"request":1,"expect":{"outputs":[{"name":"y"},{"name":"y"}]}}`), `names "y" again`},
		"not a list": {goldenFile(t, `{"request":1,"expect":{"outputs":{}}}`), "must be a list of tensors"},
		"no object":  {goldenFile(t, `{"request":1,"expect":[1]}`), "must be an object with outputs"},
	} {
		t.Run(name, func(t *testing.T) {
			v := runOne(t, check.Options{MaxLine: 1000}, golden(policy.OpenInference, c.file), asked)
			wantVerdict(t, v, rollout.Inconclusive, c.problem)
		})
	}
	v := runOne(t, check.Options{}, golden(policy.OpenInference, goldenFile(t, good)))
	wantVerdict(t, v, rollout.Inconclusive, "green has no ready endpoint to ask")
}

// A file that changes between counting and sending gives no verdict either way,
// also if what it holds then could be used. One that is put in its place does
// not matter.
func TestGoldenFileThatChangesMeanwhile(t *testing.T) {
	const line = `{"request":1,"expect":{"y":1}}` + "\n"
	const says = "the file changed while it was read"
	for name, c := range map[string]struct {
		change func(file string) error
		want   rollout.Result
		says   string
	}{
		"in a line":     {func(file string) error { return os.Truncate(file, 500*int64(len(line))+7) }, rollout.Inconclusive, says},
		"between lines": {func(file string) error { return os.Truncate(file, 500*int64(len(line))) }, rollout.Inconclusive, says},
		"to others": {func(file string) error {
			return os.WriteFile(file, []byte(strings.Repeat(strings.Replace(line, ":1", ":2", 1), 1000)), 0o600)
		}, rollout.Inconclusive, says},
		"for another file": {func(file string) error {
			if err := os.WriteFile(file+"2", []byte("{"), 0o600); err != nil {
				return err
			}
			return os.Rename(file+"2", file)
		}, rollout.Pass, "1000 of 1000 answers agree"},
	} {
		t.Run(name, func(t *testing.T) {
			file := goldenFile(t, strings.Repeat(line, 1000))
			change := sync.OnceFunc(func() {
				if err := c.change(file); err != nil {
					t.Error(err)
				}
			})
			e := serve(t, "a", func(w http.ResponseWriter, _ *http.Request) {
				change()
				_, _ = io.WriteString(w, `{"y":1}`)
			})
			v := runOne(t, check.Options{MaxLine: 4096}, golden(policy.PlainJSON, file), e)
			wantVerdict(t, v, c.want, c.says)
		})
	}
}
