package predict_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"greenlight/check/dataset"
	"greenlight/check/predict"
	"greenlight/policy"
)

var echo = policy.Predict{Protocol: policy.TensorFlowServing, Path: "/p", Columns: []string{"age"}, Batch: 3}

// echoes answers each instance's first number as its prediction.
func echoes(w http.ResponseWriter, r *http.Request) {
	var request struct{ Instances [][]float64 }
	_ = json.NewDecoder(r.Body).Decode(&request)
	var answer struct {
		Predictions []float64 `json:"predictions"`
	}
	for _, i := range request.Instances {
		answer.Predictions = append(answer.Predictions, i[0])
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func rowsUpTo(n int) func() (dataset.Row, error) {
	line := 0
	return func() (dataset.Row, error) {
		if line == n {
			return dataset.Row{}, io.EOF
		}
		line++
		return person(line), nil
	}
}

func pool(t testing.TB, spec policy.Predict, concurrency int, endpoints ...predict.Endpoint) *predict.Pool {
	t.Helper()
	p, err := predict.NewPool(spec, people, []string{"label"}, endpoints, predict.Options{Check: "quality", Cap: policy.Cap{Concurrency: concurrency}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestPoolDeliversInOrder(t *testing.T) {
	var requests atomic.Int64
	a := serve(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); echoes(w, r) })
	b := serve(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); echoes(w, r) })
	b.Name = "green b"
	seen, by := 0, map[string]int{}
	err := pool(t, echo, 7, a, b).Run(context.Background(), rowsUpTo(1000), func(got predict.Batch) error {
		if got.First != seen || got.Err != nil || len(got.Rows) != len(got.Predictions) {
			return fmt.Errorf("batch %d when %d rows were delivered: %w", got.First, seen, got.Err)
		}
		for i, p := range got.Predictions {
			seen++
			if want := float64(20 + got.Rows[i].Line); p.Value != want || got.Rows[i].Line != seen {
				return fmt.Errorf("row %d: predicted %v, want %v", seen, p.Value, want)
			}
		}
		by[got.Endpoint]++
		return nil
	})
	if err != nil || seen != 1000 || requests.Load() != 334 || by["green a"] != 167 || by["green b"] != 167 {
		t.Errorf("%d rows in %d requests, by %v: %v", seen, requests.Load(), by, err)
	}
}

func TestPoolStops(t *testing.T) {
	broken := errors.New("broken")
	e := serve(t, echoes)
	t.Run("by next", func(t *testing.T) {
		n := 0
		err := pool(t, echo, 4, e).Run(context.Background(), func() (dataset.Row, error) {
			if n++; n == 50 {
				return dataset.Row{}, broken
			}
			return person(n), nil
		}, func(predict.Batch) error { return nil })
		if !errors.Is(err, broken) {
			t.Error(err)
		}
	})
	t.Run("by sink", func(t *testing.T) {
		calls := 0
		err := pool(t, echo, 4, e).Run(context.Background(), rowsUpTo(1000), func(predict.Batch) error { calls++; return broken })
		if !errors.Is(err, broken) || calls != 1 {
			t.Error(calls, err)
		}
	})
	t.Run("by ctx", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		err := pool(t, echo, 4, e).Run(ctx, rowsUpTo(1e9), func(predict.Batch) error { cancel(broken); return nil })
		if !errors.Is(err, broken) {
			t.Error(err)
		}
	})
	t.Run("while an endpoint hangs", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		hanging := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			cancel(broken)
			<-r.Context().Done()
		})
		err := pool(t, echo, 4, hanging).Run(ctx, rowsUpTo(100), func(predict.Batch) error { return nil })
		if !errors.Is(err, broken) {
			t.Error(err)
		}
	})
}

func TestPoolGoesOnAfterErrors(t *testing.T) {
	var n atomic.Int64
	e := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%2 == 0 {
			answering(http.StatusInternalServerError, "overloaded")(w, r)
			return
		}
		echoes(w, r)
	})
	good, bad := 0, 0
	err := pool(t, echo, 3, e).Run(context.Background(), rowsUpTo(60), func(b predict.Batch) error {
		if wrong, ok := errors.AsType[*predict.AnswerError](b.Err); ok && wrong.Status == 500 && wrong.Endpoint == "green a" {
			bad++
		} else if b.Err == nil {
			good++
		}
		return nil
	})
	if err != nil || good != 10 || bad != 10 {
		t.Errorf("%d good, %d bad: %v", good, bad, err)
	}
}
