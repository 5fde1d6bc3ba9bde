package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"greenlight/check/predict"
)

// outside makes a client for a service beside the model's endpoints, if the
// server's configuration allows its host. It reaches no other host than
// target's, follows no redirect, and reads at most maxBody bytes of an answer:
// reading more is an errLargeAnswer. It keeps no connection.
func (r *Runner) outside(target *url.URL, check string, maxBody int64) (*http.Client, error) {
	if target.Scheme != "http" && target.Scheme != "https" || target.Hostname() == "" {
		return nil, fmt.Errorf("%q is no URL of a service; must begin with http:// or https:// and name a host", target.Redacted())
	}
	if err := r.opts.Hosts.check(target); err != nil {
		return nil, err
	}
	only := net.JoinHostPort(target.Hostname(), portOf(target))
	dialer := net.Dialer{Timeout: r.opts.ConnectTimeout}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &boundedTransport{check: check, maxBody: maxBody, next: &http.Transport{
			Proxy: nil, // not the environment's: it would be a further host
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, "tcp", only)
			},
			TLSHandshakeTimeout:    r.opts.ConnectTimeout,
			DisableKeepAlives:      true,
			DisableCompression:     true, // small on the wire could be huge in memory
			MaxResponseHeaderBytes: 64 << 10,
		}},
	}, nil
}

// errLargeAnswer is reading more of an answer than there may be.
var errLargeAnswer = errors.New("the answer is too large")

// boundedTransport bounds answers, and says in requests what they are.
type boundedTransport struct {
	check   string
	maxBody int64
	next    *http.Transport
}

func (t *boundedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("User-Agent", predict.UserAgent)
	request.Header.Set(predict.CheckHeader, t.check)
	response, err := t.next.RoundTrip(request)
	if err != nil {
		return nil, err //nolint:wrapcheck // net/http names the request
	}
	response.Body = &boundedBody{ReadCloser: response.Body, left: t.maxBody}
	return response, nil
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errLargeAnswer
	}
	return n, err //nolint:wrapcheck // io.Reader's contract
}
