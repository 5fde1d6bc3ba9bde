package predict_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"greenlight/check/dataset"
	"greenlight/check/predict"
	"greenlight/policy"
)

// serve starts an HTTP/1.1 server that ends with the test.
func serve(t testing.TB, h http.HandlerFunc) predict.Endpoint {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return predict.Endpoint{Address: s.Listener.Addr().String(), Name: "green a"}
}

// answering answers everything with one status and body.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

var people = &dataset.Schema{File: "people.csv", Columns: []string{"amount", "age", "country", "label"}}

func integer(i int64) dataset.Value { return dataset.Value{Kind: dataset.Int, Int: i} }
func float(f float64) dataset.Value { return dataset.Value{Kind: dataset.Float, Float: f} }
func word(s string) dataset.Value   { return dataset.Value{Kind: dataset.String, Str: s} }
func list(v ...dataset.Value) dataset.Value {
	return dataset.Value{Kind: dataset.List, List: v}
}

func row(line int, v ...dataset.Value) dataset.Row { return dataset.Row{Line: line, Values: v} }

func person(line int) dataset.Row {
	return row(line, float(float64(line)+0.5), integer(int64(20+line)), word(fmt.Sprintf("c%d", line)), integer(1))
}

// client makes a client of e that ends with the test.
func client(t testing.TB, spec policy.Predict, schema *dataset.Schema, e predict.Endpoint) *predict.Client {
	t.Helper()
	spec.Reserved = []string{"label"}
	c, err := predict.NewClient(spec, schema, e, predict.Options{Check: "quality", RequestTimeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
