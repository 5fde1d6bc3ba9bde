package predict_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"greenlight/check/dataset"
	"greenlight/check/predict"
	"greenlight/policy"
)

func TestLimiterHoldsBothCaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := predict.NewLimiter(policy.Cap{Concurrency: 2, PerSecond: 10})
		began := time.Now()
		var releases []func()
		for range 2 {
			release, err := l.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			releases = append(releases, release)
		}
		if took := time.Since(began); took != 100*time.Millisecond {
			t.Errorf("two requests at 10 per second took %v", took)
		}
		gone := errors.New("gone")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, gone)
		defer cancel()
		if _, err := l.Acquire(ctx); !errors.Is(err, gone) {
			t.Errorf("a third request at a time: %v", err)
		}
		releases[0]()
		if _, err := l.Acquire(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestASilentEndpointIsATimeout(t *testing.T) {
	hang := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	for _, protocol := range []policy.PredictProtocol{policy.TensorFlowServing, policy.OpenInferenceGRPC} {
		c, err := predict.NewClient(spec(protocol, policy.Answer{}), people, hang, predict.Options{RequestTimeout: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Predict(context.Background(), []dataset.Row{person(1)})
		if silent, ok := errors.AsType[*predict.TimeoutError](err); !ok || silent.Endpoint != "green a" || silent.Within != 50*time.Millisecond {
			t.Errorf("%s: %T %v", protocol, err, err)
		}
		c.Close()
	}
}

func TestAnswersAreBounded(t *testing.T) {
	e := serve(t, answering(200, strings.Repeat(" ", 5000)+`{"predictions":[1]}`))
	c, err := predict.NewClient(spec(policy.TensorFlowServing, policy.Answer{}), people, e, predict.Options{MaxBody: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Predict(context.Background(), []dataset.Row{person(1)})
	if _, ok := errors.AsType[*predict.AnswerError](err); !ok || !strings.Contains(err.Error(), "more than 1000 bytes") {
		t.Error(err)
	}
	if reply, err := c.Exchange(context.Background(), "", []byte(`{}`)); err != nil || !reply.Cut || len(reply.Body) != 1000 {
		t.Error(len(reply.Body), err)
	}
}
