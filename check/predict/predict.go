// Package predict asks a model's instances for predictions, in whatever
// protocol they speak, and gives them back in one form.
//
// A protocol turns rows into a message and an answer into predictions, and
// knows nothing of the network; a carrier takes messages to one endpoint and
// nothing else. What an endpoint answers is not trusted: it is bounded in size,
// depth and time, and every number has to be finite.
package predict

import (
	"context"
	"encoding/json"

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

// Reply is an answer in the protocol's JSON form, whatever came over the wire.
type Reply struct {
	Status int // HTTP status (gRPC: the one that corresponds to the code)
	Body   []byte
	Cut    bool   // Body is only the beginning: it was longer than MaxBody
	Moved  string // Location of a redirect, which is not followed
}

// message is a request as it goes over the wire.
type message struct {
	body []byte
	// header is how many bytes of JSON stand before raw tensors; 0: all is JSON
	// (or a protocol buffer).
	header int
}

// answer is what came back over the wire. Its memory is only lent: it is used
// for the next answer.
type answer struct {
	status int
	body   []byte
	header int // as message.header
	cut    bool
	moved  string
	color  string // of rollout.ColorHeader
	// grpc: the body is a protocol buffer if the status is 200.
	grpc bool
}

// protocol is one way to write requests and to read answers. All methods may
// be used by many goroutines.
type protocol interface {
	// encode appends the request for rows to buf. Errors: *dataset.Error.
	encode(buf []byte, rows []dataset.Row) (message, error)
	// decode reads the predictions for n rows out of an answer with status 200.
	// Its error says what is wrong; the client makes an AnswerError of it.
	decode(a answer, n int) ([]Prediction, error)
	// wrap makes a message of a request in the protocol's JSON form, for what
	// is POSTed to path.
	wrap(path string, request json.RawMessage) (message, error)
	// unwrap gives the JSON form of an answer's body.
	unwrap(a answer) ([]byte, error)
}

// carrier takes messages to one endpoint. It may be used by many goroutines.
type carrier interface {
	// send sends one message and reads at most the body that is allowed, into
	// memory of into. A status other than 200 is no error.
	send(ctx context.Context, path string, m message, into []byte) (answer, error)
	close()
}

// speak makes the protocol that spec names.
func speak(spec policy.Predict, schema *dataset.Schema) (protocol, error) {
	p, err := newPlan(spec, schema)
	if err != nil {
		return nil, err
	}
	switch spec.Protocol {
	case policy.OpenInferenceGRPC:
		return &openInferenceGRPC{newOpenInference(p)}, nil
	case policy.TensorFlowServing:
		return &tensorFlow{plan: p}, nil
	case policy.MLflow:
		return &mlflow{plan: p}, nil
	case policy.PlainJSON:
		return newTemplate(p, spec.Request)
	default:
		if spec.Binary {
			return &openInferenceBinary{newOpenInference(p)}, nil
		}
		return newOpenInference(p), nil
	}
}
