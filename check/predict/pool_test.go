package predict_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

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
	spec.Reserved = []string{"label"}
	p, err := predict.NewPool(spec, people, endpoints, predict.Options{Check: "quality", Cap: policy.Cap{Concurrency: concurrency}})
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
	single := echo
	single.Batch = 1
	err := pool(t, single, 3, e).Run(context.Background(), rowsUpTo(60), func(b predict.Batch) error {
		if wrong, ok := errors.AsType[*predict.AnswerError](b.Err); ok && wrong.Status == 500 && wrong.Endpoint == "green a" {
			bad++
		} else if b.Err == nil {
			good++
		}
		return nil
	})
	if err != nil || good != 30 || bad != 30 {
		t.Errorf("%d good, %d bad: %v", good, bad, err)
	}
}

// ages is what an echoed request asked for.
func ages(t *testing.T, r *http.Request) []float64 {
	t.Helper()
	var request struct{ Instances [][]float64 }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		t.Error(err)
	}
	var all []float64
	for _, i := range request.Instances {
		all = append(all, i[0])
	}
	return all
}

// refuses echoes unless bad says that it can't.
func refuses(t *testing.T, requests *atomic.Int64, bad func(ages []float64) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		all := ages(t, r)
		if bad(all) {
			answering(http.StatusInternalServerError, "no such age")(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"predictions": all})
	}
}

func TestPoolAsksRowsOfAWrongAnswerOneByOne(t *testing.T) {
	const rows = 300
	spec := echo
	spec.Batch = 10
	asks := func(t *testing.T, bad func(ages []float64) bool) (failed []int, requests int64) {
		t.Helper()
		var n atomic.Int64
		next := 0
		err := pool(t, spec, 3, serve(t, refuses(t, &n, bad))).Run(context.Background(), rowsUpTo(rows), func(b predict.Batch) error {
			if b.First != next {
				return fmt.Errorf("row %d after %d rows", b.First, next)
			}
			next += len(b.Rows)
			for k := range b.Rows {
				if b.Err != nil {
					failed = append(failed, b.First+k)
				} else if want := float64(20 + b.Rows[k].Line); b.Predictions[k].Value != want {
					return fmt.Errorf("row %d: %v, want %v", b.First+k, b.Predictions[k].Value, want)
				}
			}
			return nil
		})
		if err != nil || next != rows {
			t.Fatalf("%d rows: %v", next, err)
		}
		return failed, n.Load()
	}
	t.Run("two bad rows", func(t *testing.T) {
		failed, requests := asks(t, func(ages []float64) bool { return slices.Contains(ages, 34) || slices.Contains(ages, 121) })
		if !slices.Equal(failed, []int{13, 100}) || requests != 30+2*10 {
			t.Errorf("rows %v failed in %d requests", failed, requests)
		}
	})
	t.Run("a failure that is over", func(t *testing.T) {
		var times atomic.Int64
		failed, _ := asks(t, func(ages []float64) bool { return slices.Contains(ages, 34) && times.Add(1) == 1 })
		if len(failed) != 10 || failed[0] != 10 {
			t.Errorf("rows %v failed", failed)
		}
	})
	t.Run("everything", func(t *testing.T) {
		failed, requests := asks(t, func([]float64) bool { return true })
		if len(failed) != rows || requests > 30+10*(4+3) {
			t.Errorf("%d rows failed in %d requests", len(failed), requests)
		}
	})
}

// One by one, too, a row may be left without an answer: the rest is not asked.
func TestPoolWaitsForOneSilentRowOnly(t *testing.T) {
	t.Parallel() // it waits most of its time
	var n atomic.Int64
	e := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1); len(ages(t, r)) == 1 {
			<-r.Context().Done()
			return
		}
		answering(http.StatusInternalServerError, "no")(w, r)
	})
	spec := echo
	spec.Batch = 10
	p, err := predict.NewPool(spec, people, []predict.Endpoint{e}, predict.Options{RequestTimeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	batches := 0
	err = p.Run(context.Background(), rowsUpTo(10), func(b predict.Batch) error {
		if batches++; len(b.Rows) != 10 || b.Err == nil {
			t.Errorf("%d rows: %v", len(b.Rows), b.Err)
		}
		return nil
	})
	if err != nil || batches != 1 || n.Load() != 2 {
		t.Errorf("%d batches in %d requests: %v", batches, n.Load(), err)
	}
}
