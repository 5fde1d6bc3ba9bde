package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"greenlight/check/predict"
	"greenlight/policy"
	"greenlight/rollout"
)

// client GETs from one endpoint and can reach nothing else.
type client struct {
	transport *http.Transport
	host      string
	check     string
	maxBody   int64
	within    time.Duration // bounds a whole request; 0 means that nothing but its context does
}

func (r *Runner) newClient(job rollout.CheckJob, check string, e rollout.Endpoint, maxBody int64) *client {
	host := hostPort(e)
	return &client{
		transport: predict.NewTransport(host, speaksHTTP2(job.Protocol), r.opts.ConnectTimeout, 1),
		host:      host, check: check, maxBody: maxBody, within: job.RequestTimeout,
	}
}

// speaksHTTP2 says which version of HTTP endpoints are spoken to in.
func speaksHTTP2(p policy.Protocol) bool { return p == policy.HTTP2 || p == policy.GRPC }

func (c *client) close() { c.transport.CloseIdleConnections() }

// get sends one request and reads at most maxBody of its answer. path may have
// a query. A redirect is an answer. The error is a *predict.TimeoutError if the
// answer did not come in time.
func (c *client) get(ctx context.Context, path string) (predict.Reply, error) {
	ctx, cancel := predict.Bound(ctx, c.host, c.within)
	defer cancel()
	target, err := url.Parse("http://" + c.host + path)
	if err != nil {
		return predict.Reply{}, fmt.Errorf("parse path %q: %w", path, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return predict.Reply{}, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("User-Agent", predict.UserAgent)
	request.Header.Set(predict.CheckHeader, c.check)
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return predict.Reply{}, predict.Silence(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	reply := predict.Reply{Status: response.StatusCode, Moved: response.Header.Get("Location")}
	reply.Body, err = io.ReadAll(io.LimitReader(response.Body, c.maxBody+1))
	if int64(len(reply.Body)) > c.maxBody {
		reply.Body, reply.Cut = reply.Body[:c.maxBody], true
	}
	if err != nil {
		return reply, fmt.Errorf("status %d, then reading the body failed: %w", reply.Status, predict.Silence(ctx, err))
	}
	return reply, nil
}

// withoutURL drops what net/http puts before an error: evidence names the
// endpoint and the path already.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
