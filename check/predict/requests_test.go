package predict_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"greenlight/check/dataset"
	"greenlight/policy"
)

func TestRequests(t *testing.T) {
	numbers := []string{"amount", "age"}
	two := []dataset.Row{person(1), person(2)}
	for name, c := range map[string]struct {
		spec policy.Predict
		rows []dataset.Row
		want string
	}{
		"open inference": {
			policy.Predict{Protocol: policy.OpenInference, Path: "/p", Columns: numbers}, two,
			`{"inputs":[{"name":"input","datatype":"FP64","shape":[2,2],"data":[1.5,21,2.5,22]}]}`,
		},
		"open inference, named inputs, outputs and parameters": {
			policy.Predict{
				Protocol: policy.OpenInference, Path: "/p", Parameters: map[string]string{"content_type": "pd", "b": "1.5", "a": "true"},
				Inputs: []policy.Input{{Name: "age", Datatype: "INT8"}, {Name: "c", Datatype: "BYTES", Columns: []string{"country"}}, {Name: "both", Columns: numbers}},
				Answer: policy.Answer{Label: "predict", Scores: "predict_proba"},
			},
			two,
			`{"parameters":{"a":true,"b":1.5,"content_type":"pd"},"inputs":[` +
				`{"name":"age","datatype":"INT8","shape":[2,1],"data":[21,22]},` +
				`{"name":"c","datatype":"BYTES","shape":[2,1],"data":["c1","c2"]},` +
				`{"name":"both","datatype":"FP64","shape":[2,2],"data":[1.5,21,2.5,22]}],` +
				`"outputs":[{"name":"predict"},{"name":"predict_proba"}]}`,
		},
		"tensorflow serving": {
			policy.Predict{Protocol: policy.TensorFlowServing, Path: "/p", Columns: numbers, Signature: "s"}, two,
			`{"signature_name":"s","instances":[[1.5,21],[2.5,22]]}`,
		},
		"tensorflow serving, named inputs": {
			policy.Predict{Protocol: policy.TensorFlowServing, Path: "/p", Inputs: []policy.Input{{Name: "x", Columns: numbers}, {Name: "c", Datatype: "BYTES", Columns: []string{"label"}}}}, two,
			`{"instances":[{"x":[1.5,21],"c":"1"},{"x":[2.5,22],"c":"1"}]}`,
		},
		"mlflow split": {
			policy.Predict{Protocol: policy.MLflow, Path: "/p", Columns: []string{"age", "amount"}, Parameters: map[string]string{"t": "0.5"}}, two,
			`{"dataframe_split":{"columns":["age","amount"],"data":[[21,1.5],[22,2.5]]},"params":{"t":0.5}}`,
		},
		"mlflow records": {
			policy.Predict{Protocol: policy.MLflow, Path: "/p", Columns: numbers, Format: policy.MLflowRecords}, two,
			`{"dataframe_records":[{"amount":1.5,"age":21},{"amount":2.5,"age":22}]}`,
		},
		"mlflow inputs": {
			policy.Predict{Protocol: policy.MLflow, Path: "/p", Columns: numbers, Format: policy.MLflowInputs}, two,
			`{"inputs":{"amount":[1.5,2.5],"age":[21,22]}}`,
		},
		"all columns but those of the check": {
			policy.Predict{Protocol: policy.MLflow, Path: "/p"}, []dataset.Row{row(1, float(1), dataset.Value{}, word("é\"\n"), integer(9))},
			`{"dataframe_split":{"columns":["amount","age","country"],"data":[[1,null,"é\"\n"]]}}`,
		},
		"a template": {
			policy.Predict{
				Protocol: policy.PlainJSON, Path: "/p", Columns: numbers,
				Request: `{"x": ["${amount}", "${country}"], "id": "n-${age}/${country}\n", "${age}": 1, "row": "${@row}", "z": "}"}`,
			},
			[]dataset.Row{row(1, float(1.5), integer(2), word(`","evil":"${age}`), integer(1))},
			`{"x": [1.5, "\",\"evil\":\"${age}"], "id": "n-2/\",\"evil\":\"${age}\n", "${age}": 1, "row": {"amount":1.5,"age":2}, "z": "}"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			e := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = string(body)
				if r.Method != http.MethodPost || r.URL.Path != "/p" || r.UserAgent() != "greenlight/check" || r.Header.Get("x-greenlight-check") != "quality" ||
					r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Accept-Encoding") != "" {
					t.Errorf("request %s %s %v", r.Method, r.URL, r.Header)
				}
			})
			_, _ = client(t, c.spec, people, e).Predict(context.Background(), c.rows)
			if got != c.want {
				t.Errorf("sent\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
