// Package predict asks a model's instances for predictions, in whatever
// protocol they speak, and gives them back in one form.
package predict

import (
	"context"
	"encoding/json"
	"time"

	"greenlight/check/dataset"
	"greenlight/policy"
)

// Prediction is what a model said of one row. Every number is finite: NaN and
// infinities are errors of the model.
type Prediction struct {
	Label   string    // empty if the answer holds none and none follows from Scores
	Scores  []float64 // one (of the positive class), or one per class; nil if the answer holds none
	Value   float64   // valid if HasValue
	Ranking []string  // best first; nil if the answer holds none

	HasValue bool
}

// Positive is the score of the positive class; false if there is none.
func (p Prediction) Positive(a policy.Answer) (float64, bool) { panic("todo") }

// Classes is the names of n scores.
func Classes(a policy.Answer, n int) []string { panic("todo") }

// Options say what a Pool may do.
type Options struct {
	Check          string // its name, sent as x-greenlight-check
	HTTP2          bool   // HTTP/2 without TLS from the first byte, as the route's protocol says
	Cap            policy.Cap
	RequestTimeout time.Duration // per request; 0: none but ctx's
	ConnectTimeout time.Duration // default 3s
	MaxBody        int64         // bytes of an answer; default 16 MiB
	Secret         func(policy.Secret) (string, error)
	// Limiter is shared by all pools of one color in one run of checks; nil: the pool makes its own of Cap.
	Limiter *Limiter
}

// Limiter holds what may be sent to one color at a time and per second.
type Limiter struct{}

// NewLimiter makes the limiter of a cap.
func NewLimiter(c policy.Cap) *Limiter { panic("todo") }

// Acquire waits for its turn; call release when the request is over.
func (l *Limiter) Acquire(ctx context.Context) (release func(), err error) { panic("todo") }

// Endpoint is an instance that can be asked.
type Endpoint struct {
	Address string // host:port
	Name    string // for evidence: "green 10.0.0.1:8080 (fraud-green-1)"
}

// Client asks one endpoint. It may be used by many goroutines.
type Client struct{}

// NewClient makes a client. exclude are columns that the check uses itself
// (label, slices): they are never sent unless spec names them. Errors: secrets
// that can't be had, a spec that does not fit the schema (a missing column).
// schema may be nil if only Exchange is used.
func NewClient(spec policy.Predict, schema *dataset.Schema, exclude []string, e Endpoint, o Options) (*Client, error) {
	panic("todo")
}

// Predict sends rows (at most spec.Batch) in one request and answers with one
// prediction per row, in order. Errors: *AnswerError when the endpoint answered
// wrong, *dataset.Error when a row can't be sent (a null or a word where a
// number goes), a silent *TimeoutError, or a network error.
func (c *Client) Predict(ctx context.Context, rows []dataset.Row) ([]Prediction, error) {
	panic("todo")
}

// Reply is an answer in the protocol's JSON form, whatever came over the wire.
type Reply struct {
	Status int // HTTP status (gRPC: the one that corresponds to the code)
	Body   []byte
	Cut    bool   // Body is only the beginning: it was longer than MaxBody
	Moved  string // Location of a redirect, which is not followed
}

// Exchange sends one request as it stands (Open Inference over gRPC and with
// binary tensors: translated from its JSON form and back). path may be empty: the spec's.
func (c *Client) Exchange(ctx context.Context, path string, request json.RawMessage) (Reply, error) {
	panic("todo")
}

// Close drops the client's connections.
func (c *Client) Close() { panic("todo") }

// AnswerError is an answer that is no prediction: an error status, a body that
// is not what the protocol says, a NaN, too few rows.
type AnswerError struct {
	Endpoint string
	Status   int    // 0 when it never came to one
	Problem  string // what, with the beginning of the body
}

func (e *AnswerError) Error() string { panic("todo") }

// TimeoutError is a request without an answer within its own time.
type TimeoutError struct {
	Endpoint string
	Within   time.Duration
}

func (e *TimeoutError) Error() string { panic("todo") }

// Pool asks all endpoints of a color.
type Pool struct{}

// NewPool makes a client for each endpoint. Errors as NewClient's; at least one endpoint.
func NewPool(spec policy.Predict, schema *dataset.Schema, exclude []string, endpoints []Endpoint, o Options) (*Pool, error) {
	panic("todo")
}

// Batch is rows with what was predicted for them, or why nothing was.
type Batch struct {
	First       int // index of the first row in the order of next, from 0
	Rows        []dataset.Row
	Predictions []Prediction // one per row; nil if Err is set
	Endpoint    string       // who answered
	Err         error        // as Client.Predict's
}

// Run reads rows from next until io.EOF, sends them in batches over all
// endpoints in turn within the pool's caps, and hands every batch to sink, in
// the order of the rows, never concurrently. It holds no more than the batches
// in flight in memory. It returns when all are done, or the error of next, or
// the cause of ctx's end, or what sink returned.
func (p *Pool) Run(ctx context.Context, next func() (dataset.Row, error), sink func(Batch) error) error {
	panic("todo")
}

// Close drops all connections.
func (p *Pool) Close() { panic("todo") }
