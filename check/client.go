package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// Every request of a check says what it is, so that a server can tell it from
// a user's and leave it out of its statistics.
const (
	userAgent   = "greenlight/check"
	checkHeader = "x-greenlight-check" // the check's name
)

// client speaks HTTP to one endpoint and can reach nothing else.
type client struct {
	http    http.Client
	host    string
	check   string
	maxBody int64
	within  time.Duration // bounds a whole request; 0 means that nothing but its context does
}

func (r *Runner) newClient(job rollout.CheckJob, check string, e rollout.Endpoint, maxBody int64) *client {
	host := hostPort(e)
	dialer := net.Dialer{Timeout: r.opts.ConnectTimeout}
	return &client{
		host: host, check: check, maxBody: maxBody, within: job.RequestTimeout,
		http: http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				Protocols: protocols(job.Protocol),
				Proxy:     nil, // not the environment's: the endpoint itself is measured
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return dialer.DialContext(ctx, "tcp", host)
				},
				// A compressed answer could be small on the wire and huge in memory.
				DisableCompression:     true,
				MaxResponseHeaderBytes: 64 << 10,
				MaxIdleConnsPerHost:    r.opts.PerEndpoint,
			},
		},
	}
}

// protocols is the one version of HTTP that an endpoint is spoken to in. There
// is nothing to negotiate without TLS: HTTP/2 is used from the first byte, as
// Envoy does.
func protocols(p policy.Protocol) *http.Protocols {
	var only http.Protocols
	if p == policy.HTTP2 || p == policy.GRPC {
		only.SetUnencryptedHTTP2(true)
	} else {
		only.SetHTTP1(true)
	}
	return &only
}

func (c *client) close() { c.http.CloseIdleConnections() }

// answer is what an endpoint answered.
type answer struct {
	status   int
	location string // of a redirect, which is not followed
	body     []byte
	cut      bool // the body was longer than the limit
}

func (a answer) inWords() string {
	if a.location != "" {
		return fmt.Sprintf("status %d, a redirect to %q", a.status, a.location)
	}
	if body := a.beginning(); body != "" {
		return fmt.Sprintf("status %d: %s", a.status, body)
	}
	return fmt.Sprintf("status %d", a.status)
}

// beginning is as much of the body as evidence shows.
func (a answer) beginning() string {
	return shorten(string(bytes.TrimSpace(a.body[:min(len(a.body), maxReadyBody)])))
}

// send sends one request and reads at most maxBody of its answer. path may
// have a query. body is sent as JSON; nil sends none. The error is a
// silentError if the answer did not come in time.
func (c *client) send(ctx context.Context, method, path string, body []byte) (answer, error) {
	ctx, cancel := boundRequest(ctx, c.within)
	defer cancel()
	target, err := url.Parse("http://" + c.host + path)
	if err != nil {
		return answer{}, fmt.Errorf("parse path %q: %w", path, err)
	}
	request, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set(checkHeader, c.check)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, silence(ctx, withoutURL(err))
	}
	defer func() { _ = response.Body.Close() }()
	a := answer{status: response.StatusCode, location: response.Header.Get("Location")}
	a.body, err = io.ReadAll(io.LimitReader(response.Body, c.maxBody+1))
	if int64(len(a.body)) > c.maxBody {
		a.body, a.cut = a.body[:c.maxBody], true
	}
	if err != nil {
		return a, fmt.Errorf("status %d, then reading the body failed: %w", a.status, silence(ctx, err))
	}
	return a, nil
}

// withoutURL drops what net/http puts before an error: evidence names the
// endpoint and the path already.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
