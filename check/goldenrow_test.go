package check_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"testing"

	"google.golang.org/grpc"

	"greenlight/check"
	"greenlight/check/predict/oipv2"
	"greenlight/policy"
	"greenlight/rollout"
)

// triple is a model whose scores for x are 1-x/10 and x/10.
type triple struct {
	oipv2.UnimplementedGRPCInferenceServiceServer
}

func (triple) ModelInfer(_ context.Context, r *oipv2.ModelInferRequest) (*oipv2.ModelInferResponse, error) {
	x := math.Float64frombits(binary.LittleEndian.Uint64(r.RawInputContents[0]))
	return &oipv2.ModelInferResponse{ModelName: r.ModelName, Outputs: []*oipv2.ModelInferResponse_InferOutputTensor{{
		Name: "p", Datatype: "FP64", Shape: []int64{1, 2},
		Contents: &oipv2.InferTensorContents{Fp64Contents: []float64{1 - x/10, x / 10}},
	}}}, nil
}

func serveTriple(t *testing.T) rollout.Endpoint {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	oipv2.RegisterGRPCInferenceServiceServer(s, triple{})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return endpointAt(t, "grpc", l.Addr().String())
}

// tripleHTTP answers as the same model does, in the words that shape writes.
func tripleHTTP(t *testing.T, shape string) rollout.Endpoint {
	return serve(t, "http", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		x := 3.0
		if length := r.Header.Get("Inference-Header-Content-Length"); length != "" {
			n, _ := strconv.Atoi(length)
			x = math.Float64frombits(binary.LittleEndian.Uint64(body[n:]))
			head := `{"outputs":[{"name":"p","datatype":"FP64","shape":[1,2],"parameters":{"binary_data_size":16}}]}`
			w.Header().Set("Inference-Header-Content-Length", strconv.Itoa(len(head)))
			out := binary.LittleEndian.AppendUint64([]byte(head), math.Float64bits(1-x/10))
			_, _ = w.Write(binary.LittleEndian.AppendUint64(out, math.Float64bits(x/10)))
			return
		}
		if !json.Valid(body) {
			t.Errorf("not JSON: %s", body)
		}
		_, _ = fmt.Fprintf(w, shape, 1-x/10, x/10)
	})
}

func TestGoldenRowsInEveryProtocol(t *testing.T) {
	const openInference = `{"outputs":[{"name":"p","datatype":"FP64","shape":[1,2],"data":[%v,%v]}]}`
	for name, c := range map[string]struct {
		spec     policy.Predict
		endpoint rollout.Endpoint
	}{
		"open inference": {policy.Predict{Protocol: policy.OpenInference}, tripleHTTP(t, openInference)},
		"binary":         {policy.Predict{Protocol: policy.OpenInference, Binary: true}, tripleHTTP(t, "")},
		"grpc":           {policy.Predict{Protocol: policy.OpenInferenceGRPC, Model: "m"}, serveTriple(t)},
		"tensorflow":     {policy.Predict{Protocol: policy.TensorFlowServing}, tripleHTTP(t, `{"predictions":[[%v,%v]]}`)},
		"mlflow":         {policy.Predict{Protocol: policy.MLflow}, tripleHTTP(t, `{"predictions":[[%v,%v]]}`)},
		"json": {policy.Predict{
			Protocol: policy.PlainJSON, Request: `{"x":"${x}"}`, Answer: policy.Answer{Scores: "$.p[*].s"},
		}, tripleHTTP(t, `{"p":[{"s":%v},{"s":%v}]}`)},
	} {
		t.Run(name, func(t *testing.T) {
			for line, want := range map[string]rollout.Result{
				`{"row":{"x":3},"expect":{"label":"0","scores":[0.7,0.3]}}`:                                rollout.Pass,
				`{"row":{"x":3.0},"expect":{"label":0}}`:                                                   rollout.Pass,
				`{"row":{"x":3},"expect":{"label":"1"}}`:                                                   rollout.Fail,
				`{"row":{"x":3},"expect":{"scores":[0.7,0.3001]}}`:                                         rollout.Fail,
				`{"row":{"x":3},"expect":{"scores":[0.7,0.3001]},"tolerance":0.001}`:                       rollout.Pass,
				`{"row":{"x":3},"expect":{"scores":[0.7]}}`:                                                rollout.Fail,
				`{"row":{"x":3},"expect":{"value":1}}`:                                                     rollout.Fail,
				`{"row":{"x":3},"expect":{"lable":"0"}}`:                                                   rollout.Inconclusive,
				`{"row":{"x":3},"request":{},"expect":{"label":"0"}}`:                                      rollout.Inconclusive,
				`{"row":{"x":3},"expect":{"label":"0"}}` + "\n" + `{"row":{"y":3},"expect":{"label":"0"}}`: rollout.Inconclusive,
			} {
				file := goldenFile(t, line)
				j := job([]policy.Check{golden(c.spec.Protocol, file)}, c.endpoint)
				c.spec.Load = j.Predict.Load
				j.Predict = c.spec
				v := check.New(check.Options{}).Run(context.Background(), j)[0]
				if v.Result != want {
					t.Errorf("%s: %s, want %s: %s", line, v.Result, want, v.Summary)
				}
			}
		})
	}
}

// A case in Open Inference's JSON reaches servers that speak gRPC or binary tensors.
func TestGoldenRequestsAreTranslated(t *testing.T) {
	file := goldenFile(t, `{"request":{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP64","data":[3]}]},`+
		`"expect":{"outputs":[{"name":"p","shape":[1,2],"datatype":"FP64","data":[0.7,0.3]}]}}`)
	for name, c := range map[string]struct {
		spec     policy.Predict
		endpoint rollout.Endpoint
	}{
		"binary": {policy.Predict{Protocol: policy.OpenInference, Binary: true}, tripleHTTP(t, "")},
		"grpc":   {policy.Predict{Protocol: policy.OpenInferenceGRPC, Model: "m"}, serveTriple(t)},
	} {
		t.Run(name, func(t *testing.T) {
			j := job([]policy.Check{golden(c.spec.Protocol, file)}, c.endpoint)
			c.spec.Load = j.Predict.Load
			j.Predict = c.spec
			wantVerdict(t, check.New(check.Options{}).Run(context.Background(), j)[0], rollout.Pass, "1 of 1 answers agree")
		})
	}
}

func TestGoldenToleratesAsThePolicySays(t *testing.T) {
	next := strconv.FormatFloat(math.Nextafter(math.Nextafter(1000, 2000), 2000), 'g', -1, 64)
	for name, c := range map[string]struct {
		check policy.GoldenCheck
		got   string
		want  rollout.Result
	}{
		"absolute":         {policy.GoldenCheck{Absolute: 0.5}, "1000.5", rollout.Pass},
		"not absolute":     {policy.GoldenCheck{Absolute: 0.5}, "1000.6", rollout.Fail},
		"relative":         {policy.GoldenCheck{Relative: 0.001}, "1001", rollout.Pass},
		"not relative":     {policy.GoldenCheck{Relative: 0.001}, "1001.5", rollout.Fail},
		"2 steps":          {policy.GoldenCheck{ULP: 2}, next, rollout.Pass},
		"not 1 step":       {policy.GoldenCheck{ULP: 1}, next, rollout.Fail},
		"one of the rules": {policy.GoldenCheck{ULP: 1, Absolute: 0.5}, next, rollout.Pass},
		"none":             {policy.GoldenCheck{}, next, rollout.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			g := golden(policy.PlainJSON, goldenFile(t, `{"request":1,"expect":{"y":1000}}`))
			c.check.File, c.check.Protocol, c.check.Path = g.Golden.File, policy.PlainJSON, "/"
			g.Golden = &c.check
			wantVerdict(t, runOne(t, check.Options{}, g, serve(t, "a", respond(200, `{"y":`+c.got+`}`))), c.want)
		})
	}
}

func TestGoldenRankingsByTheirFirstItems(t *testing.T) {
	for topK, want := range map[int]rollout.Result{0: rollout.Fail, 2: rollout.Pass, 3: rollout.Fail} {
		g := golden(policy.TensorFlowServing, goldenFile(t, `{"row":{"x":1},"expect":{"ranking":["a","b","c"]}}`))
		g.Golden.TopK = topK
		j := job([]policy.Check{g}, serve(t, "a", respond(200, `{"predictions":[{"items":["a","b","d"]}]}`)))
		j.Predict.Protocol, j.Predict.Answer.Ranking = policy.TensorFlowServing, "items"
		wantVerdict(t, check.New(check.Options{}).Run(context.Background(), j)[0], want)
	}
}
