package predict

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"greenlight/rollout"
)

// headerLength says where JSON ends and raw tensors begin, in requests and answers.
const headerLength = "Inference-Header-Content-Length"

// httpCarrier POSTs messages.
type httpCarrier struct {
	transport *http.Transport
	address   string
	host      string      // the Host header
	headers   http.Header // of every request; never changed
	maxBody   int64
	usual     *url.URL // of the policy's path
}

func (c *httpCarrier) close() { c.transport.CloseIdleConnections() }

// target is the URL of path, which may have a query; empty: the policy's.
func (c *httpCarrier) target(path string) (*url.URL, error) {
	if path == "" {
		return c.usual, nil
	}
	u, err := url.Parse("http://" + c.address + path)
	if err != nil {
		return nil, fmt.Errorf("parse path %q: %w", path, err)
	}
	return u, nil
}

func (c *httpCarrier) send(ctx context.Context, path string, m message, into []byte) (answer, error) {
	target, err := c.target(path)
	if err != nil {
		return answer{}, err
	}
	up := &upload{bytes: m.body}
	request := (&http.Request{
		Method: http.MethodPost, URL: target, Host: c.host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: c.headers, ContentLength: int64(len(m.body)),
		Body: up.reader(),
		GetBody: func() (io.ReadCloser, error) {
			return up.reader(), nil // a connection that the server closed before it read anything
		},
	}).WithContext(ctx)
	if m.header > 0 {
		request.Header = c.headers.Clone()
		request.Header.Set("Content-Type", "application/octet-stream")
		request.Header.Set(headerLength, strconv.Itoa(m.header))
	}
	response, err := c.transport.RoundTrip(request) //nolint:bodyclose // read closes it
	if err != nil {
		up.abandon()
		return answer{}, err
	}
	a, err := c.read(response, into)
	up.abandon()
	return a, err
}

// read reads at most maxBody of the answer.
func (c *httpCarrier) read(response *http.Response, into []byte) (answer, error) {
	defer func() { _ = response.Body.Close() }()
	a := answer{status: response.StatusCode, moved: response.Header.Get("Location"), color: response.Header.Get(rollout.ColorHeader)}
	if length := response.Header.Get(headerLength); length != "" {
		n, err := strconv.ParseUint(length, 10, 31)
		if err != nil {
			return a, fmt.Errorf("status %d with the header %s: %q; must be a number of bytes", a.status, headerLength, Shorten(length))
		}
		a.header = int(n)
	}
	body := bytes.NewBuffer(into[:0])
	_, err := body.ReadFrom(io.LimitReader(response.Body, c.maxBody+1))
	a.body = body.Bytes()
	if int64(len(a.body)) > c.maxBody {
		a.body, a.cut = a.body[:c.maxBody], true
	}
	if err != nil {
		return a, fmt.Errorf("status %d, then reading the body failed: %w", a.status, err)
	}
	return a, nil
}

// upload is a request's body. A transport may go on reading it after the
// answer has come; abandon ends that, so that the memory can be used again.
type upload struct {
	mu        sync.Mutex
	bytes     []byte
	abandoned bool
}

func (u *upload) abandon() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.abandoned = true
	u.bytes = nil
}

func (u *upload) reader() io.ReadCloser { return &uploadReader{upload: u} }

type uploadReader struct {
	upload *upload
	at     int
}

func (r *uploadReader) Read(p []byte) (int, error) {
	r.upload.mu.Lock()
	defer r.upload.mu.Unlock()
	if r.upload.abandoned {
		return 0, http.ErrBodyReadAfterClose
	}
	if r.at >= len(r.upload.bytes) {
		return 0, io.EOF
	}
	n := copy(p, r.upload.bytes[r.at:])
	r.at += n
	return n, nil
}

func (r *uploadReader) Close() error { return nil }
