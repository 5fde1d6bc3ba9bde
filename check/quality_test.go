package check_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"greenlight/check"
	"greenlight/policy"
	"greenlight/rollout"
)

// truthOf is the label of row x of the tests' data.
func truthOf(x int) int { return x * 7919 % 13 % 2 }

// people writes n rows: x, country and whether y.
func people(t *testing.T, n int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("x,country,y\n")
	for x := range n {
		fmt.Fprintf(&b, "%d,%s,%d\n", x, [...]string{"DE", "FR", "IT", "ES", "PL"}[x/7%5], truthOf(x))
	}
	return dataFile(t, "people.csv", b.String())
}

func dataFile(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// model answers Open Inference with a score of class 1 for each row's x.
func model(score func(x int) float64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Inputs []struct {
				Shape []int
				Data  any
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil || len(request.Inputs) != 1 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		labels, scores := []int{}, []string{}
		for _, x := range flat(request.Inputs[0].Data) {
			s := score(int(x))
			label := 0
			if s >= 0.5 {
				label = 1
			}
			labels, scores = append(labels, label), append(scores, fmt.Sprint(s))
		}
		words, _ := json.Marshal(labels)
		fmt.Fprintf(w, `{"model_name":"m","outputs":[{"name":"predict","datatype":"INT64","shape":[%d],"data":%s},`+
			`{"name":"proba","datatype":"FP64","shape":[%d],"data":[%s]}]}`, len(labels), words, len(scores), strings.Join(scores, ","))
	}
}

func flat(v any) []float64 {
	switch v := v.(type) {
	case float64:
		return []float64{v}
	case []any:
		var out []float64
		for _, e := range v {
			out = append(out, flat(e)...)
		}
		return out
	}
	return nil
}

// wrongOn is a model that is right but where wrong says so.
func wrongOn(wrong func(x int) bool) http.HandlerFunc {
	return model(func(x int) float64 {
		y := truthOf(x) == 1
		if wrong(x) {
			y = !y
		}
		noise := math.Abs(math.Sin(float64(x))) * 0.3
		if y {
			return 0.9 - noise
		}
		return 0.1 + noise
	})
}

func tenth(of int) func(x int) bool { return func(x int) bool { return x*31%97%10 == of } }

func qualityOf(data string, change func(*policy.QualityCheck)) policy.Check {
	q := &policy.QualityCheck{
		Data: data, Label: "y", Rows: 100_000, K: 5, SliceRows: 30,
		Gates: []policy.Gate{{Metric: policy.Accuracy, NotWorse: &policy.NotWorse{Confidence: 0.95, Detect: 0.03}}},
	}
	if change != nil {
		change(q)
	}
	return policy.Check{Name: "quality", Timeout: time.Minute, Quality: q}
}

func predictJob(t *testing.T, c policy.Check, idle, live http.HandlerFunc) rollout.CheckJob {
	t.Helper()
	j := job([]policy.Check{c}, serve(t, "idle", idle))
	if live != nil {
		j.Endpoints.Blue = []rollout.Endpoint{serve(t, "live", live)}
	}
	j.Predict = policy.Predict{
		Protocol: policy.OpenInference, Path: "/v2/models/m/infer", Model: "m", Batch: 16, Reserved: []string{"country", "old", "y"},
		Answer: policy.Answer{Label: "predict", Scores: "proba", Positive: "1", Threshold: 0.5},
		Load:   policy.Load{Idle: policy.Cap{Concurrency: 4}, Live: policy.Cap{Concurrency: 4}},
	}
	return j
}

func judged(t *testing.T, c policy.Check, idle, live http.HandlerFunc) rollout.Verdict {
	t.Helper()
	return check.New(check.Options{}).Run(context.Background(), predictJob(t, c, idle, live))[0]
}

func TestQualityOfModels(t *testing.T) {
	data := people(t, 3000)
	live := wrongOn(tenth(0))
	withSlices := func(q *policy.QualityCheck) { q.Slices = []string{"country"} }
	scored := func(q *policy.QualityCheck) {
		for _, m := range []policy.Metric{policy.ROCAUC, policy.LogLoss} {
			q.Gates = append(q.Gates, policy.Gate{Metric: m, NotWorse: &policy.NotWorse{Confidence: 0.95, Detect: 0.1}})
		}
	}
	for name, c := range map[string]struct {
		idle   http.HandlerFunc
		change func(*policy.QualityCheck)
		result rollout.Result
		says   []string
	}{
		"the same":          {live, scored, rollout.Pass, []string{"accuracy", "3,000 rows"}},
		"equal":             {wrongOn(tenth(1)), nil, rollout.Pass, []string{"accuracy", "live"}},
		"worse":             {wrongOn(func(x int) bool { return x*31%97%10 < 2 }), nil, rollout.Fail, []string{"accuracy", "worse than live's", "McNemar"}},
		"one slice":         {wrongOn(func(x int) bool { return x/7%5 == 2 && x%2 == 0 }), withSlices, rollout.Fail, []string{"worst slice country=IT", "accuracy"}},
		"swapped":           {wrongOn(func(x int) bool { return !tenth(0)(x) }), nil, rollout.Fail, []string{"look swapped"}},
		"NaN":               {model(func(int) float64 { return math.NaN() }), nil, rollout.Fail, []string{"green failed on"}},
		"500":               {respond(500, `out of memory`), nil, rollout.Fail, []string{"green failed on", "out of memory"}},
		"200 with an error": {respond(200, `{"error":"no such model"}`), nil, rollout.Fail, []string{"no such model"}},
		"below the minimum": {wrongOn(tenth(1)), func(q *policy.QualityCheck) { q.Gates[0].Min = new(0.95) }, rollout.Fail, []string{"is below 0.95"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := judged(t, qualityOf(data, c.change), c.idle, live)
			wantVerdict(t, v, c.result, c.says...)
			if v.Figures["rows"] != 3000 {
				t.Errorf("figures %v", v.Figures)
			}
		})
	}
}

// A single row that only the judged color fails on fails the check.
func TestQualityCountsEveryMissingAnswer(t *testing.T) {
	right := wrongOn(func(int) bool { return false })
	var asked atomic.Int32
	once := func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 7 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		right(w, r)
	}
	v := judged(t, qualityOf(people(t, 500), nil), once, right)
	wantVerdict(t, v, rollout.Fail, "green failed on 16 rows that blue answered")
	wantFigures(t, v, map[string]float64{"errors.idle": 16, "errors.live": 0})

	v = judged(t, qualityOf(people(t, 500), nil), right, respond(500, "down"))
	wantVerdict(t, v, rollout.Inconclusive, "blue failed on 500 of 500 rows")
}

func TestQualityOfWhatCannotBeJudged(t *testing.T) {
	right := wrongOn(func(int) bool { return false })
	auc := func(q *policy.QualityCheck) { q.Gates = []policy.Gate{{Metric: policy.ROCAUC, Min: new(0.5)}} }
	var asked atomic.Bool
	spy := func(w http.ResponseWriter, r *http.Request) { asked.Store(true); right(w, r) }
	for name, c := range map[string]struct {
		file, content string
		change        func(*policy.QualityCheck)
		says          string
		unasked       bool
	}{
		"one class":      {"d.csv", "x,y\n" + strings.Repeat("1,1\n", 50), auc, "undefined", false},
		"ragged":         {"d.csv", "x,y\n1,1\n2\n", auc, "d.csv:3", true},
		"no label":       {"d.csv", "x,z\n1,1\n", auc, `no column "y"`, true},
		"no input":       {"d.csv", "y\n1\n", auc, "no column left", true},
		"an empty label": {"d.csv", "x,y\n1,1\n2,\n", auc, "d.csv:3", true},
		"a word":         {"d.csv", "x,y\n1,1\nmany,0\n", auc, "d.csv:3", false},
		"not UTF-8":      {"d.csv", "x,y\n1,\xff\n", auc, "d.csv:2", true},
		"no rows":        {"d.csv", "x,y\n", auc, "no rows", true},
		"too few rows": {"d.csv", "x,y\n0,0\n1,0\n2,0\n", func(q *policy.QualityCheck) {
			q.Gates[0].NotWorse.Detect = 0.03
		}, "can't exclude a loss", false},
	} {
		t.Run(name, func(t *testing.T) {
			asked.Store(false)
			v := judged(t, qualityOf(dataFile(t, c.file, c.content), c.change), spy, right)
			wantVerdict(t, v, rollout.Inconclusive, c.says)
			if c.unasked && asked.Load() {
				t.Error("the model was asked although the data is broken")
			}
		})
	}
}

func TestQualityOfAModelThatHangs(t *testing.T) {
	t.Parallel() // it waits most of its time
	right := wrongOn(func(int) bool { return false })
	c := qualityOf(people(t, 500), nil)
	j := predictJob(t, c, hang, right)
	j.RequestTimeout = time.Second
	wantVerdict(t, check.New(check.Options{}).Run(context.Background(), j)[0], rollout.Fail, "without an answer and was asked no more")

	j = predictJob(t, c, hang, right)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	wantVerdict(t, check.New(check.Options{}).Run(ctx, j)[0], rollout.Inconclusive, "cancelled")
}

func TestQualityDetail(t *testing.T) {
	c := qualityOf(people(t, 1000), func(q *policy.QualityCheck) {
		q.Gates = append(q.Gates, policy.Gate{Metric: policy.ROCAUC, Min: new(0.5)})
		q.Slices, q.Rows = []string{"country"}, 600
	})
	v := judged(t, c, wrongOn(tenth(3)), wrongOn(tenth(0)))
	if v.Detail == nil || len(v.Detail.Slices) != 5 || len(v.Detail.Charts) < 3 || len(v.Detail.Cases) == 0 {
		t.Fatalf("detail %+v of %s", v.Detail, v.Summary)
	}
	for _, k := range v.Detail.Cases {
		if !strings.HasPrefix(k.Where, "people.csv:") || !strings.HasPrefix(k.Input, "x=") || k.Idle == "" || k.Live == "" {
			t.Errorf("case %+v", k)
		}
	}
	if !slices.ContainsFunc(v.Detail.Notes, func(n string) bool { return strings.Contains(n, "600 of the 1,000 rows") }) {
		t.Errorf("notes %q", v.Detail.Notes)
	}
	names := append(c.Figures(), "")
	for name := range v.Figures {
		if !slices.Contains(names, name) {
			t.Errorf("figure %s is not one that the policy lists", name)
		}
	}
	for _, name := range c.Figures() {
		if _, ok := v.Figures[name]; !ok {
			t.Errorf("figure %s is missing", name)
		}
	}
}

// Numbers are judged by their errors, and less is better there.
func TestQualityOfNumbers(t *testing.T) {
	c := qualityOf(people(t, 1000), func(q *policy.QualityCheck) {
		q.Gates = []policy.Gate{{Metric: policy.RMSE, NotWorse: &policy.NotWorse{Confidence: 0.95, Detect: 0.1}}, {Metric: policy.R2, Min: new(-10.0)}}
	})
	off := func(by float64) http.HandlerFunc {
		return model(func(x int) float64 { return float64(truthOf(x)) + by*math.Cos(float64(x)) })
	}
	for name, m := range map[string]struct {
		by     float64
		result rollout.Result
		says   string
	}{
		"worse": {0.5, rollout.Fail, "is worse than live's"}, "better": {0.2, rollout.Pass, "rmse"}, "the same": {0.3, rollout.Pass, "rmse"},
	} {
		t.Run(name, func(t *testing.T) {
			j := predictJob(t, c, off(m.by), off(0.3))
			j.Predict.Answer = policy.Answer{Value: "proba", Positive: "1"}
			v := check.New(check.Options{}).Run(context.Background(), j)[0]
			wantVerdict(t, v, m.result, m.says)
			if d := v.Measures[0].Difference; d == nil || (d.Value > 0) != (m.by > 0.3) || d.Low > d.Value || d.Value > d.High {
				t.Errorf("difference %+v", d)
			}
			if v.Detail == nil || !slices.ContainsFunc(v.Detail.Charts, func(c rollout.Chart) bool { return c.Title == "Residuals" && len(c.Series) == 2 }) {
				t.Error("no picture of the residuals")
			}
		})
	}
}

func TestQualityBoundsSlices(t *testing.T) {
	right := wrongOn(func(int) bool { return false })
	v := judged(t, qualityOf(people(t, 1500), func(q *policy.QualityCheck) { q.Slices = []string{"x"} }), right, right)
	wantVerdict(t, v, rollout.Inconclusive, "people.csv:1002", "more than 1,000 different values")
}
