package predict_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"greenlight/check/dataset"
	"greenlight/check/predict"
	"greenlight/policy"
)

func spec(p policy.PredictProtocol, a policy.Answer) policy.Predict {
	a.Threshold = 0.5
	return policy.Predict{Protocol: p, Path: "/p", Columns: []string{"age"}, Answer: a, Request: `{"x":"${age}"}`}
}

func oip(outputs string) string { return `{"model_name":"m","outputs":[` + outputs + `]}` }

func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		spec policy.Predict
		body string
		want predict.Prediction
	}{
		"label": {spec(policy.OpenInference, policy.Answer{}), oip(`{"name":"y","datatype":"INT64","shape":[1,1],"data":[7]}`), predict.Prediction{Label: "7", Value: 7, HasValue: true}},
		"words": {spec(policy.OpenInference, policy.Answer{}), oip(`{"name":"y","datatype":"BYTES","shape":[1],"data":["cat"]}`), predict.Prediction{Label: "cat"}},
		"scores of classes": {
			spec(policy.OpenInference, policy.Answer{Classes: []string{"no", "yes"}}), oip(`{"name":"y","datatype":"FP32","shape":[1,2],"data":[[0.25,0.75]]}`),
			predict.Prediction{Label: "yes", Scores: []float64{0.25, 0.75}},
		},
		"label and scores": {
			spec(policy.OpenInference, policy.Answer{Label: "l", Scores: "s"}),
			oip(`{"name":"other","datatype":"?","shape":3,"data":{}},{"name":"s","datatype":"FP64","shape":[1,2],"data":[0.9,0.1]},{"name":"l","datatype":"INT32","shape":[1],"data":[1]}`),
			predict.Prediction{Label: "1", Scores: []float64{0.9, 0.1}},
		},
		"one score":          {spec(policy.TensorFlowServing, policy.Answer{}), `{"predictions":[[0.5]]}`, predict.Prediction{Label: "1", Scores: []float64{0.5}}},
		"one low score":      {spec(policy.TensorFlowServing, policy.Answer{Classes: []string{"a", "b"}, Positive: "a"}), `{"predictions":[[0.4]]}`, predict.Prediction{Label: "b", Scores: []float64{0.4}}},
		"one named value":    {spec(policy.TensorFlowServing, policy.Answer{Value: "v"}), `{"predictions":[[12.5]]}`, predict.Prediction{Value: 12.5, HasValue: true}},
		"named keys":         {spec(policy.TensorFlowServing, policy.Answer{Value: "v", Ranking: "r"}), `{"predictions":[{"v":1e2,"r":["b",1,2.0],"x":null}]}`, predict.Prediction{Value: 100, HasValue: true, Ranking: []string{"b", "1", "2"}}},
		"mlflow number":      {spec(policy.MLflow, policy.Answer{}), ` {"predictions": [ 1.0 ] } `, predict.Prediction{Label: "1", Value: 1, HasValue: true}},
		"mlflow record":      {spec(policy.MLflow, policy.Answer{Label: "l"}), `{"predictions":[{"l":"\u00e9","p":null}]}`, predict.Prediction{Label: "é"}},
		"mlflow columns":     {spec(policy.MLflow, policy.Answer{Label: "l", Scores: "s"}), `{"predictions":{"s":[[0.1,0.9]],"l":["x"]}}`, predict.Prediction{Label: "x", Scores: []float64{0.1, 0.9}}},
		"json paths":         {spec(policy.PlainJSON, policy.Answer{Label: "$.r.label", Scores: "$.r.p[*].s"}), `{"r":{"label":true,"p":[{"s":0.1},{"s":0.9}]}}`, predict.Prediction{Label: "true", Scores: []float64{0.1, 0.9}}},
		"json large integer": {spec(policy.PlainJSON, policy.Answer{Label: "$.id"}), `{"id":9007199254740993}`, predict.Prediction{Label: "9007199254740993"}},
		"json without paths": {spec(policy.PlainJSON, policy.Answer{}), `{"score":0.5}`, predict.Prediction{Label: "0.5", Value: 0.5, HasValue: true}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := client(t, c.spec, people, serve(t, answering(200, c.body))).Predict(context.Background(), []dataset.Row{person(1)})
			if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], c.want) {
				t.Errorf("got %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

func TestWrongAnswersAreErrorsThatSayWhat(t *testing.T) {
	open, tf := spec(policy.OpenInference, policy.Answer{}), spec(policy.TensorFlowServing, policy.Answer{})
	for name, c := range map[string]struct {
		spec   policy.Predict
		status int
		body   string
		says   string
	}{
		"an error status":       {tf, 503, `{"error":"busy"}`, `status 503: {"error":"busy"}`},
		"an error as an answer": {tf, 200, `{"error":"no such signature"}`, "an error in an answer with a good status; the answer begins {\"error\":\"no such"},
		"the same of oip":       {open, 200, `{"error":"boom"}`, "boom"},
		"the same of mlflow":    {spec(policy.MLflow, policy.Answer{}), 200, `{"error":"boom"}`, "boom"},
		"the same of json":      {spec(policy.PlainJSON, policy.Answer{Label: "$.l"}), 200, `{"error":"boom"}`, "an error in an answer"},
		"nothing":               {tf, 200, ``, "an empty body"},
		"no JSON":               {tf, 200, `<html>`, "no JSON: invalid character '<'"},
		"not UTF-8":             {tf, 200, "{\"predictions\":[\"\xff\"]}", "not UTF-8"},
		"NaN":                   {tf, 200, `{"predictions":[NaN]}`, "NaN, which is no number"},
		"-Infinity":             {tf, 200, `{"predictions":[[1,-Infinity]]}`, "-Infinity, which is no number"},
		"the word NaN":          {spec(policy.TensorFlowServing, policy.Answer{Value: "v"}), 200, `{"predictions":["NaN"]}`, "NaN is no number"},
		"a word as a score":     {tf, 200, `{"predictions":[["x",1]]}`, `"x" where a number should be`},
		"null":                  {tf, 200, `{"predictions":[null]}`, "null where a label"},
		"too few rows":          {tf, 200, `{"predictions":[]}`, "0 predictions for the 1 rows"},
		"too many rows":         {tf, 200, `{"predictions":[1,2]}`, "more predictions than the 1 rows"},
		"too deep":              {tf, 200, `{"predictions":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "more than 64 deep"},
		"too large a number":    {tf, 200, `{"predictions":[1e999]}`, "1e999 is no number that fits"},
		"other classes":         {spec(policy.TensorFlowServing, policy.Answer{Classes: []string{"a", "b"}}), 200, `{"predictions":[[1,2,3]]}`, "3 scores for the 2 classes"},
		"a missing key":         {spec(policy.TensorFlowServing, policy.Answer{Label: "l", Scores: "s"}), 200, `{"predictions":[{"l":"1"}]}`, `no "s"; the prediction has ["l"]`},
		"wrong shape":           {open, 200, oip(`{"name":"y","datatype":"FP64","shape":[2],"data":[1,2]}`), `output "y" has shape [2] for 1 rows`},
		"shape and data":        {open, 200, oip(`{"name":"y","datatype":"FP64","shape":[1,2],"data":[1]}`), "1 elements, but shape [1 2]"},
		"huge shape":            {open, 200, oip(`{"name":"y","datatype":"FP64","shape":[1,9223372036854775807],"data":[1]}`), "impossible"},
		"negative shape":        {open, 200, oip(`{"name":"y","datatype":"FP64","shape":[-1],"data":[1]}`), "impossible"},
		"wrong datatype":        {open, 200, oip(`{"name":"y","datatype":"INT64","shape":[1],"data":[1.5]}`), "1.5 where a INT64 should be"},
		"unknown datatype":      {open, 200, oip(`{"name":"y","datatype":"FP8","shape":[1],"data":[1]}`), `unknown datatype "FP8"`},
		"beyond the datatype":   {open, 200, oip(`{"name":"y","datatype":"INT8","shape":[1],"data":[200]}`), "200 where a INT8"},
		"no outputs":            {open, 200, `{"outputs":{}}`, `no list of "outputs"`},
		"two outputs":           {open, 200, oip(`{"name":"a","datatype":"INT8","shape":[1],"data":[1]},{"name":"b","datatype":"INT8","shape":[1],"data":[1]}`), "name in predict.answer"},
		"a missing output":      {spec(policy.OpenInference, policy.Answer{Label: "l"}), 200, oip(`{"name":"a","datatype":"INT8","shape":[1],"data":[1]}`), `no output "l"`},
		"no such path":          {spec(policy.PlainJSON, policy.Answer{Label: "$.l"}), 200, `{}`, "nothing at $.l"},
		"many at a path":        {spec(policy.PlainJSON, policy.Answer{Label: "$[*]"}), 200, `[1,2]`, "2 values at $[*]"},
		"a redirect":            {tf, 302, ``, "status 302"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client(t, c.spec, people, serve(t, answering(c.status, c.body))).Predict(context.Background(), []dataset.Row{person(1)})
			wrong, ok := errors.AsType[*predict.AnswerError](err)
			if !ok || wrong.Status != c.status || wrong.Endpoint != "green a" || !strings.Contains(wrong.Problem, c.says) {
				t.Errorf("got %T %v; want %q", err, err, c.says)
			}
		})
	}
}

func TestRowsThatCannotBeSent(t *testing.T) {
	asked := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	input := func(datatype string) policy.Predict {
		s := spec(policy.OpenInference, policy.Answer{})
		s.Inputs = []policy.Input{{Name: "age", Datatype: datatype}}
		return s
	}
	for name, c := range map[string]struct {
		spec policy.Predict
		age  dataset.Value
		says string
	}{
		"null":             {spec(policy.OpenInference, policy.Answer{}), dataset.Value{}, `people.csv:7`},
		"a word":           {spec(policy.TensorFlowServing, policy.Answer{}), word("old"), `column "age" holds "old", which is not the FP64`},
		"a fraction":       {input("INT8"), float(1.5), `holds "1.5", which is not the INT8`},
		"beyond a byte":    {input("UINT8"), integer(256), "UINT8"},
		"beyond FP32":      {input("FP32"), float(1e300), "FP32"},
		"beyond FP16":      {input("FP16"), integer(65520), "FP16"},
		"no bool":          {input("BOOL"), integer(2), "BOOL"},
		"a ragged list":    {input("FP64"), list(list(integer(1)), list()), "another shape"},
		"a list of nulls":  {input("FP64"), list(dataset.Value{}), "holds nothing"},
		"a list in a text": {policy.Predict{Protocol: policy.PlainJSON, Path: "/p", Request: `"a ${age}"`}, list(), "can't stand within a string"},
	} {
		t.Run(name, func(t *testing.T) {
			r := row(7, float(1), c.age, word("x"), integer(1))
			_, err := client(t, c.spec, people, asked).Predict(context.Background(), []dataset.Row{r})
			if _, ok := errors.AsType[*dataset.Error](err); !ok || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %T %v; want %q", err, err, c.says)
			}
		})
	}
}

func TestSecretsAreSentAndNeverShown(t *testing.T) {
	const secret = `s3"cret`
	var sent string
	e := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Get("authorization")
		answering(401, `{"error":"s3\"cret is not allowed, nor s3"cret"}`)(w, r)
	})
	s := spec(policy.TensorFlowServing, policy.Answer{})
	s.Headers = []policy.Header{{Name: "authorization", Secret: &policy.Secret{Env: "GREENLIGHT_SECRET_X"}}, {Name: "x-tenant", Value: "risk"}}
	c, err := predict.NewClient(s, people, e, predict.Options{Secret: func(policy.Secret) (string, error) { return secret, nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Predict(context.Background(), []dataset.Row{person(1)})
	reply, _ := c.Exchange(context.Background(), "", []byte(`{}`))
	if sent != secret || strings.Contains(err.Error()+string(reply.Body), "cret is") || !strings.Contains(err.Error(), "[secret] is not") {
		t.Errorf("sent %q; %v; %s", sent, err, reply.Body)
	}
}

func TestClientsThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		spec policy.Predict
		says string
	}{
		"column":   {policy.Predict{Protocol: policy.MLflow, Columns: []string{"size"}}, `people.csv has no column "size"; it has amount, age`},
		"input":    {policy.Predict{Inputs: []policy.Input{{Name: "size"}}}, `input "size": people.csv has no column`},
		"secret":   {policy.Predict{Headers: []policy.Header{{Name: "a", Secret: &policy.Secret{}}}}, "header a: no secrets"},
		"newline":  {policy.Predict{Headers: []policy.Header{{Name: "a", Value: "x\ny"}}}, "header a: its value"},
		"template": {policy.Predict{Protocol: policy.PlainJSON, Request: `{"x":}`}, "predict.request: no JSON"},
		"unclosed": {policy.Predict{Protocol: policy.PlainJSON, Request: `"${age"`}, "no closing brace"},
		"unknown":  {policy.Predict{Protocol: policy.PlainJSON, Request: `"${size}"`}, `no column "size"`},
		"row":      {policy.Predict{Protocol: policy.PlainJSON, Request: `"a ${@row}"`}, "must be a string of its own"},
		"JSONPath": {policy.Predict{Protocol: policy.PlainJSON, Request: `1`, Answer: policy.Answer{Label: "$["}}, `answer.label "$["`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := predict.NewClient(c.spec, people, predict.Endpoint{Address: "127.0.0.1:1"}, predict.Options{})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v; want %q", err, c.says)
			}
		})
	}
}
