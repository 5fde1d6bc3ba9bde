package predict

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"greenlight/check/dataset"
	"greenlight/policy"
)

// Options say what a Pool may do.
type Options struct {
	Check          string // its name, sent as x-greenlight-check
	HTTP2          bool   // HTTP/2 without TLS from the first byte, as the route's protocol says
	Cap            policy.Cap
	RequestTimeout time.Duration // per request; 0: none but ctx's
	ConnectTimeout time.Duration // default 3s
	MaxBody        int64         // bytes of an answer; default 16 MiB
	Secret         func(policy.Secret) (string, error)
	// Host, if not empty, is what requests ask for instead of the endpoint's address:
	// the endpoint is an entry of a fleet. Then an answer that does not say by
	// rollout.ColorHeader that Color gave it is wrong.
	Host  string
	Color policy.Color
	// Limiter is shared by all pools of one color in one run of checks; nil: the
	// pool makes its own of Cap. A Client without one is not limited: whoever
	// uses it holds the cap.
	Limiter *Limiter
}

func (o Options) withDefaults() Options {
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 3*time.Second)
	o.MaxBody = cmp.Or(o.MaxBody, 16<<20)
	return o
}

// Endpoint is an instance that can be asked.
type Endpoint struct {
	Address string // host:port
	Name    string // for evidence: "green 10.0.0.1:8080 (fraud-green-1)"
}

// Client asks one endpoint. It may be used by many goroutines.
type Client struct {
	name     string
	protocol protocol
	carrier  carrier
	limiter  *Limiter     // nil: none
	color    policy.Color // that has to answer; empty: any may
	within   time.Duration
	secrets  [][]byte
	buffers  sync.Pool // of *buffers
}

// buffers is memory for one request and its answer.
type buffers struct{ request, answer []byte }

// maxKept bounds a buffer that waits for the next request.
const maxKept = 1 << 20

// NewClient makes a client. Errors: secrets that can't be had, a spec that does
// not fit the schema (a missing column). schema may be nil if only Exchange is used.
func NewClient(spec policy.Predict, schema *dataset.Schema, e Endpoint, o Options) (*Client, error) {
	p, err := speak(spec, schema)
	if err != nil {
		return nil, err
	}
	return newClient(spec, p, e, o.withDefaults())
}

func newClient(spec policy.Predict, p protocol, e Endpoint, o Options) (*Client, error) {
	c := &Client{name: e.Name, protocol: p, limiter: o.Limiter, within: o.RequestTimeout}
	if o.Host != "" {
		c.color = o.Color
	}
	c.buffers.New = func() any { return &buffers{} }
	headers, secrets, err := headersOf(spec.Headers, o.Secret)
	if err != nil {
		return nil, err
	}
	c.secrets = secrets
	headers.Set(CheckHeader, o.Check)
	c.carrier, err = carry(spec, e.Address, headers, o)
	return c, err
}

// carry makes the carrier for a protocol.
func carry(spec policy.Predict, address string, headers http.Header, o Options) (carrier, error) {
	if spec.Protocol == policy.OpenInferenceGRPC {
		return newGRPCCarrier(address, headers, o)
	}
	headers.Set("User-Agent", UserAgent)
	headers.Set("Content-Type", "application/json")
	headers.Set("Accept", "application/json")
	if spec.Binary {
		headers.Set("Accept", "application/json, application/octet-stream")
	}
	c := &httpCarrier{
		transport: NewTransport(address, o.HTTP2, o.ConnectTimeout, max(o.Cap.Concurrency, 4)),
		address:   address, host: cmp.Or(o.Host, address), headers: headers, maxBody: o.MaxBody,
	}
	var err error
	c.usual, err = c.target(cmp.Or(spec.Path, "/"))
	return c, err
}

// headersOf is what every request carries by the policy, and the secrets in it.
func headersOf(list []policy.Header, secret func(policy.Secret) (string, error)) (http.Header, [][]byte, error) {
	headers := http.Header{}
	var secrets [][]byte
	for _, h := range list {
		value := h.Value
		if h.Secret != nil {
			if secret == nil {
				return nil, nil, fmt.Errorf("header %s: no secrets can be had here", h.Name)
			}
			var err error
			if value, err = secret(*h.Secret); err != nil {
				return nil, nil, fmt.Errorf("header %s: %w", h.Name, err)
			}
			if value == "" {
				return nil, nil, fmt.Errorf("header %s: the secret is empty", h.Name)
			}
			secrets = append(secrets, []byte(value))
			if quoted := inner(value); string(quoted) != value {
				secrets = append(secrets, quoted)
			}
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r > '~' }) {
			return nil, nil, fmt.Errorf("header %s: its value holds a character that no header can carry", h.Name)
		}
		headers.Add(h.Name, value)
	}
	return headers, secrets, nil
}

// Close drops the client's connections.
func (c *Client) Close() { c.carrier.close() }

// Predict sends rows (at most spec.Batch) in one request and answers with one
// prediction per row, in order. Errors: *AnswerError when the endpoint answered
// wrong, *dataset.Error when a row can't be sent (a null or a word where a
// number goes), a silent *TimeoutError, or a network error.
func (c *Client) Predict(ctx context.Context, rows []dataset.Row) ([]Prediction, error) {
	if len(rows) == 0 {
		return nil, errors.New("no rows to predict")
	}
	b := c.buffers.Get().(*buffers)
	defer c.keep(b)
	m, err := c.protocol.encode(b.request[:0], rows)
	if err != nil {
		return nil, err
	}
	b.request = m.body
	a, err := c.send(ctx, "", m, b)
	if err != nil {
		return nil, err
	}
	if a.status < 200 || a.status > 299 {
		return nil, &AnswerError{c.name, a.status, a.reply().InWords()}
	}
	if a.cut {
		return nil, c.wrong(a, fmt.Errorf("an answer of more than %d bytes", len(a.body)))
	}
	predictions, err := c.protocol.decode(a, len(rows))
	if err != nil {
		return nil, c.wrong(a, err)
	}
	return predictions, nil
}

// keep keeps memory for the next request, unless an answer was unusually large.
func (c *Client) keep(b *buffers) {
	if cap(b.request) <= maxKept && cap(b.answer) <= maxKept {
		c.buffers.Put(b)
	}
}

// wrong says what is wrong with an answer, with the beginning of its body.
func (c *Client) wrong(a answer, err error) error {
	problem := fmt.Sprintf("status %d: %v", a.status, err)
	if body := a.reply().Beginning(); body != "" && !a.grpc {
		problem += "; the answer begins " + body
	}
	return &AnswerError{c.name, a.status, problem}
}

func (a answer) reply() Reply {
	return Reply{Status: a.status, Body: a.body, Cut: a.cut, Moved: a.moved}
}

// send sends a message when it is its turn, in its own time.
func (c *Client) send(ctx context.Context, path string, m message, b *buffers) (answer, error) {
	if c.limiter != nil {
		release, err := c.limiter.Acquire(ctx)
		if err != nil {
			return answer{}, err
		}
		defer release()
	}
	bound, cancel := Bound(ctx, c.name, c.within)
	defer cancel()
	a, err := c.carrier.send(bound, path, m, b.answer)
	if a.body != nil {
		b.answer = a.body
	}
	if err != nil {
		if ctx.Err() != nil {
			return answer{}, context.Cause(ctx)
		}
		return answer{}, c.hide(Silence(bound, err))
	}
	if c.color != "" && a.status >= 200 && a.status <= 299 && a.color != string(c.color) {
		return answer{}, &AnswerError{c.name, a.status, fmt.Sprintf("answered by %s, not by %s", cmp.Or(a.color, "no color"), c.color)}
	}
	for _, s := range c.secrets {
		// A server may send back what it was sent, and answers are shown to people.
		if bytes.Contains(a.body, s) {
			a.body = bytes.ReplaceAll(a.body, s, []byte(hidden))
		}
		a.moved = strings.ReplaceAll(a.moved, string(s), hidden)
	}
	return a, nil
}

// hidden stands where a secret was.
const hidden = "[secret]"

// hide takes secrets out of an error of the network.
func (c *Client) hide(err error) error {
	said := err.Error()
	for _, s := range c.secrets {
		said = strings.ReplaceAll(said, string(s), hidden)
	}
	if said == err.Error() {
		return err
	}
	return errors.New(said)
}

// Exchange sends one request as it stands (Open Inference over gRPC and with
// binary tensors: translated from its JSON form and back). path may be empty: the spec's.
func (c *Client) Exchange(ctx context.Context, path string, request json.RawMessage) (Reply, error) {
	m, err := c.protocol.wrap(path, request)
	if err != nil {
		return Reply{}, err
	}
	a, err := c.send(ctx, path, m, &buffers{})
	if err != nil {
		return Reply{}, err
	}
	r := a.reply()
	if a.status < 200 || a.status > 299 || a.cut {
		return r, nil
	}
	if r.Body, err = c.protocol.unwrap(a); err != nil {
		return Reply{}, c.wrong(a, err)
	}
	return r, nil
}
