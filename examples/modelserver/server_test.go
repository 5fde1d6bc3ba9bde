package modelserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"greenlight/examples/models"
	"greenlight/examples/modelserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, o modelserver.Options) *modelserver.Server {
	t.Helper()
	s, err := modelserver.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// client keeps no connections, so that none outlives its test.
var client = http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func call(t *testing.T, ctx context.Context, method, url, body string) (int, http.Header, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		return 0, nil, "", err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, string(b), err
}

func get(t *testing.T, s *modelserver.Server, path string) (int, string) {
	t.Helper()
	code, _, body, err := call(t, context.Background(), http.MethodGet, "http://"+s.Addr()+path, "")
	if err != nil {
		t.Fatal(err)
	}
	return code, body
}

func post(t *testing.T, s *modelserver.Server, path, body string) (int, string) {
	t.Helper()
	code, _, answer, err := call(t, context.Background(), http.MethodPost, "http://"+s.Addr()+path, body)
	if err != nil {
		t.Fatal(err)
	}
	return code, answer
}

// case1 is the first golden request and the probability it should get.
func case1(t *testing.T) (request string, probability float64) {
	t.Helper()
	line, _, _ := strings.Cut(string(models.Golden()), "\n")
	var c struct {
		Request json.RawMessage
		Expect  struct{ Outputs []struct{ Data []float64 } }
	}
	if err := json.Unmarshal([]byte(line), &c); err != nil {
		t.Fatal(err)
	}
	return string(c.Request), c.Expect.Outputs[0].Data[0]
}

func probabilityOf(t *testing.T, body string) float64 {
	t.Helper()
	var a struct {
		Outputs []struct{ Data []float64 }
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil || len(a.Outputs) != 2 {
		t.Fatalf("%s: %v", body, err)
	}
	return a.Outputs[0].Data[0]
}

const infer = "/v2/models/tumor/infer"

func TestInference(t *testing.T) {
	s := start(t, modelserver.Options{Version: models.Equal, Color: "green"})
	request, want := case1(t)
	request = `{"id":"r1",` + request[1:]
	code, header, body, err := call(t, context.Background(), http.MethodPost, "http://"+s.Addr()+infer, request)
	if err != nil || code != 200 {
		t.Fatalf("%d %s %v", code, body, err)
	}
	if p := probabilityOf(t, body); math.Abs(p-want) > models.Tolerance {
		t.Errorf("probability %v, want about %v", p, want)
	}
	for _, part := range []string{`"id":"r1"`, `"model_name":"tumor"`, `"model_version":"2026-11-01"`, `{"name":"label","shape":[1],"datatype":"INT64"`} {
		if !strings.Contains(body, part) {
			t.Errorf("%s is not in %s", part, body)
		}
	}
	if header.Get(modelserver.VersionHeader) != models.Equal || header.Get(modelserver.ColorHeader) != "green" {
		t.Errorf("headers %v", header)
	}
}

func TestInferenceOfSeveralNestedRows(t *testing.T) {
	s := start(t, modelserver.Options{})
	row := "[" + strings.TrimSuffix(strings.Repeat("1,", 10), ",") + "]"
	code, body := post(t, s, infer, `{"inputs":[{"name":"x","shape":[2,10],"datatype":"FP32","data":[`+row+`,`+row+`]}]}`)
	if code != 200 || strings.Count(body, `"shape":[2]`) != 2 {
		t.Errorf("%d %s", code, body)
	}
}

func TestBadRequests(t *testing.T) {
	s := start(t, modelserver.Options{})
	input := func(shape, data string) string {
		return `{"inputs":[{"name":"x","datatype":"FP64","shape":` + shape + `,"data":` + data + `}]}`
	}
	huge := "[" + strings.TrimSuffix(strings.Repeat("1e308,-1e308,", 5), ",") + "]"
	for name, c := range map[string]struct {
		path, body string
		code       int
		message    string
	}{
		"not JSON":     {infer, `hello`, 400, "read request: invalid character"},
		"no inputs":    {infer, `{}`, 400, "inputs has 0 tensors; must be one"},
		"wrong shape":  {infer, input(`[1,9]`, `[1]`), 400, "must be [rows, 10]"},
		"no rows":      {infer, input(`[0,10]`, `[]`), 400, "must be [rows, 10]"},
		"too little":   {infer, input(`[2,10]`, `[1,2,3,4,5,6,7,8,9,10]`), 400, "has 10 numbers; its shape asks for 2 rows of 10"},
		"not numbers":  {infer, input(`[1,10]`, `[["a"]]`), 400, "a (string) is not a number"},
		"no number":    {infer, input(`[1,10]`, huge), 500, "encode answer"},
		"other model":  {"/v2/models/fraud/infer", `{}`, 404, `no model \"fraud\"`},
		"other path":   {"/v3", `{}`, 404, ""},
		"too large":    {infer, `{"id":"` + strings.Repeat("x", 5<<20), 400, "too large"},
		"unknown mode": {"/admin/fail", `{"mode":"explode"}`, 400, "is none of none, errors"},
		"unknown key":  {"/admin/fail", `{"mod":"none"}`, 400, "unknown field"},
		"rate":         {"/admin/fail", `{"mode":"errors","rate":2}`, 400, "rate must be 0 to 1"},
	} {
		t.Run(name, func(t *testing.T) {
			if code, body := post(t, s, c.path, c.body); code != c.code || !strings.Contains(body, c.message) {
				t.Errorf("%d %s, want %d %s", code, body, c.code, c.message)
			}
		})
	}
}

func TestHealthAndMetadata(t *testing.T) {
	s := start(t, modelserver.Options{Name: "fraud"})
	for path, want := range map[string]string{
		"/v2":                    `"version":"2026-10-01"`,
		"/v2/health/live":        `"live":true`,
		"/v2/health/ready":       `"ready":true`,
		"/v2/models/fraud":       `"shape":[-1,10]`,
		"/v2/models/fraud/ready": `"ready":true`,
	} {
		if code, body := get(t, s, path); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if code, body := get(t, s, "/v2/models/tumor/ready"); code != 404 {
		t.Errorf("another model's readiness: %d %s", code, body)
	}
}

func TestItSpeaksHTTP2InPlainText(t *testing.T) {
	s := start(t, modelserver.Options{})
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	h2 := http.Client{Transport: &http.Transport{Protocols: protocols}}
	defer h2.CloseIdleConnections()
	response, err := h2.Get("http://" + s.Addr() + "/v2/health/live")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.ProtoMajor != 2 || response.StatusCode != 200 {
		t.Errorf("%s %s", response.Proto, response.Status)
	}
}

func TestFaults(t *testing.T) {
	s := start(t, modelserver.Options{})
	request, right := case1(t)

	fail := func(body string) {
		t.Helper()
		if code, answer := post(t, s, "/admin/fail", body); code != 200 {
			t.Fatalf("%d %s", code, answer)
		}
	}
	fail(`{"mode":"errors"}`)
	if code, body := post(t, s, infer, request); code != 500 || !strings.Contains(body, "made to fail") {
		t.Errorf("errors: %d %s", code, body)
	}
	fail(`{"mode":"wrong"}`)
	if code, body := post(t, s, infer, request); code != 200 || math.Abs(probabilityOf(t, body)-(1-right)) > 1e-9 {
		t.Errorf("wrong: %d %s", code, body)
	}
	fail(`{"mode":"slow","delayMs":50}`)
	began := time.Now()
	if code, body := post(t, s, infer, request); code != 200 || probabilityOf(t, body) != right || time.Since(began) < 50*time.Millisecond {
		t.Errorf("slow: %d %s after %v", code, body, time.Since(began))
	}
	fail(`{"mode":"unready"}`)
	if code, _ := get(t, s, "/v2/models/tumor/ready"); code != 503 {
		t.Errorf("unready: readiness %d", code)
	}
	if code, _ := post(t, s, infer, request); code != 200 {
		t.Errorf("unready: inference %d", code)
	}
	fail(`{"mode":"hang"}`)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if code, _, _, err := call(t, ctx, http.MethodPost, "http://"+s.Addr()+infer, request); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hang: %d, %v", code, err)
	}
	fail(`{"mode":"none"}`)
	if code, body := post(t, s, infer, request); code != 200 || probabilityOf(t, body) != right {
		t.Errorf("healed: %d %s", code, body)
	}
}

func TestFaultRate(t *testing.T) {
	s := start(t, modelserver.Options{})
	if err := s.Fail(modelserver.Fault{Mode: modelserver.Errors, Rate: 0.5}); err != nil {
		t.Fatal(err)
	}
	request, _ := case1(t)
	failed := 0
	for range 100 {
		if code, _ := post(t, s, infer, request); code == 500 {
			failed++
		}
	}
	if failed < 15 || failed > 85 {
		t.Errorf("%d of 100 failed at a rate of one half", failed)
	}
}

func TestDelay(t *testing.T) {
	s := start(t, modelserver.Options{Delay: 30 * time.Millisecond})
	request, _ := case1(t)
	began := time.Now()
	if code, _ := post(t, s, infer, request); code != 200 || time.Since(began) < 30*time.Millisecond {
		t.Errorf("%d after %v", code, time.Since(began))
	}
}

func TestCloseDoesNotWaitForWhatHangs(t *testing.T) {
	s, err := modelserver.Start(context.Background(), modelserver.Options{GRPCAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Fail(modelserver.Fault{Mode: modelserver.Hang}); err != nil {
		t.Fatal(err)
	}
	request, _ := case1(t)
	sent := make(chan error, 1)
	go func() {
		_, _, _, err := call(t, context.Background(), http.MethodPost, "http://"+s.Addr()+infer, request)
		sent <- err
	}()
	time.Sleep(50 * time.Millisecond) // either it hangs by now, or it is refused
	began := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("close took %v", took)
	}
	<-sent
	if err := s.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

func TestContextEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s, err := modelserver.Start(ctx, modelserver.Options{GRPCAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := s.Close(); err != nil { // returns when it has ended, whoever ended it
		t.Error(err)
	}
	if conn, err := net.Dial("tcp", s.Addr()); err == nil {
		conn.Close()
		t.Error("it still listens")
	}
}

func TestStartRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]modelserver.Options{
		`no version "1999"`:            {Version: "1999"},
		"read model file: ":            {ModelFile: broken + ".none"},
		broken + ": parse model: ":     {ModelFile: broken},
		"listen for HTTP: listen tcp ": {Addr: taken.Addr().String()},
		"listen for gRPC: listen tcp ": {GRPCAddr: taken.Addr().String()},
	} {
		if _, err := modelserver.Start(context.Background(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestModelFile(t *testing.T) {
	s := start(t, modelserver.Options{ModelFile: "../models/versions/2026-11-01.json"})
	if _, body := get(t, s, "/v2/models/tumor"); !strings.Contains(body, `"versions":["2026-11-01"]`) {
		t.Errorf("metadata %s", body)
	}
}

func dial(t *testing.T, s *modelserver.Server) healthv1.HealthClient {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+s.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return healthv1.NewHealthClient(conn)
}

func TestGRPCSaysWhoAnswered(t *testing.T) {
	s := start(t, modelserver.Options{GRPCAddr: "127.0.0.1:0", Color: "blue"})
	health := dial(t, s)
	for _, fault := range []modelserver.Mode{modelserver.None, modelserver.Errors, modelserver.Unready} {
		if err := s.Fail(modelserver.Fault{Mode: fault}); err != nil {
			t.Fatal(err)
		}
		var header, trailer metadata.MD
		answer, err := health.Check(context.Background(), &healthv1.HealthCheckRequest{Service: "tumor"}, grpc.Header(&header), grpc.Trailer(&trailer))
		got := fmt.Sprintf("%v %v", status.Code(err), answer.GetStatus())
		want := map[modelserver.Mode]string{
			modelserver.None:    fmt.Sprintf("%v SERVING", codes.OK),
			modelserver.Errors:  fmt.Sprintf("%v UNKNOWN", codes.Internal),
			modelserver.Unready: fmt.Sprintf("%v NOT_SERVING", codes.OK),
		}[fault]
		if got != want {
			t.Errorf("%s: %s, want %s", fault, got, want)
		}
		for name, md := range map[string]metadata.MD{"header": header, "trailer": trailer} {
			if v, c := md.Get(modelserver.VersionHeader), md.Get(modelserver.ColorHeader); fmt.Sprint(v, c) != "[2026-10-01] [blue]" {
				t.Errorf("%s: %s says %v %v", fault, name, v, c)
			}
		}
	}
}

func TestGRPCWatchEndsWithTheServer(t *testing.T) {
	s := start(t, modelserver.Options{GRPCAddr: "127.0.0.1:0", Color: "blue"})
	watch, err := dial(t, s).Watch(context.Background(), &healthv1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if first, err := watch.Recv(); err != nil || first.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Fatalf("%v, %v", first, err)
	}
	if header, _ := watch.Header(); fmt.Sprint(header.Get(modelserver.ColorHeader)) != "[blue]" {
		t.Errorf("header %v", header)
	}
	began := time.Now()
	if err := s.Close(); err != nil || time.Since(began) > 3*time.Second {
		t.Errorf("close took %v with a watch open: %v", time.Since(began), err)
	}
}
