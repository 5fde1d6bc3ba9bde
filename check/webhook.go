package check

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"greenlight/check/predict"
	"greenlight/check/shown"
	"greenlight/policy"
	"greenlight/rollout"
)

// maxWebhookAnswer bounds a webhook's answer in bytes.
const maxWebhookAnswer = 64 << 10

// The headers of a webhook's request. The signature is "t=UNIX,v1=HEX": HEX is
// the HMAC-SHA256 of UNIX, a dot and the body. Who gets it compares in constant
// time and refuses what is older than some minutes, so that nobody can send it
// again. The key is the same for all attempts of one measurement.
const (
	SignatureHeader   = "X-Greenlight-Signature"
	idempotencyHeader = "Idempotency-Key"
)

// callWebhook tells another service what is known so far and takes its verdict.
func (r *Runner) callWebhook(ctx context.Context, job rollout.CheckJob, c policy.Check, p *progress) finding {
	target, err := url.Parse(c.Webhook.URL)
	if err != nil {
		return final("parse url: %v", withoutURL(err))
	}
	client, err := r.outside(target, c.Name, maxWebhookAnswer)
	if err != nil {
		return final("%v", err)
	}
	p.begin(1)
	request, err := r.webhookRequest(ctx, job, c)
	if err != nil {
		return final("%v", err)
	}
	response, err := client.Do(request)
	if err != nil {
		return failedCall(ctx, target, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	a := predict.Reply{Status: response.StatusCode, Moved: response.Header.Get("Location"), Body: body}
	switch {
	case errors.Is(err, errLargeAnswer):
		return final("%s answered with more than %d bytes", target.Host, maxWebhookAnswer)
	case err != nil:
		return failedCall(ctx, target, err)
	case a.Status != http.StatusOK:
		f := inconclusive("%s answered with %s", target.Host, a.InWords())
		f.final = a.Status != http.StatusTooManyRequests && a.Status < 500
		return f
	}
	p.step()
	return webhookVerdict(target.Host, a)
}

// failedCall says why no answer came. It may come the next time.
func failedCall(ctx context.Context, target *url.URL, err error) finding {
	if ctx.Err() != nil {
		return waiting("%s has not answered", target.Host)
	}
	return inconclusive("%s did not answer: %s", target.Host, shown.Shorten(withoutURL(err).Error(), maxNote))
}

// webhookRequest is the request with its signature, if the policy names a secret.
func (r *Runner) webhookRequest(ctx context.Context, job rollout.CheckJob, c policy.Check) (*http.Request, error) {
	body, err := json.Marshal(tell(job, c.Name))
	if err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Webhook.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set(idempotencyHeader, r.id+"-"+url.PathEscape(c.Name))
	if c.Webhook.Secret != nil {
		secret, err := r.Secret(*c.Webhook.Secret)
		if err != nil {
			return nil, err
		}
		SignRequest(request, body, secret)
	}
	return request, nil
}

// SignRequest signs a request that is sent now.
func SignRequest(r *http.Request, body []byte, secret string) {
	r.Header.Set(SignatureHeader, Sign(body, secret, time.Now()))
}

// Sign is the value of SignatureHeader for a body that is sent at a time.
func Sign(body []byte, secret string, at time.Time) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// webhookAnswer is what a webhook may answer. What else is in it is ignored.
type webhookAnswer struct {
	Result  rollout.Result     `json:"result"`
	Summary string             `json:"summary"`
	Figures map[string]float64 `json:"figures"`
}

// webhookVerdict reads an answer. Only the three words count as results.
func webhookVerdict(host string, a predict.Reply) finding {
	var said webhookAnswer
	if err := json.Unmarshal(a.Body, &said); err != nil {
		return final("%s answered with what can't be read: %v: %s", host, err, a.Beginning())
	}
	f := finding{result: said.Result, summary: fmt.Sprintf("%s says %s", host, said.Result)}
	switch said.Result {
	case rollout.Pass, rollout.Fail, rollout.Inconclusive:
	default:
		return final("%s answered with the result %q; must be pass, fail or inconclusive", host, shorten(string(said.Result)))
	}
	if said.Summary != "" {
		f.summary += ": " + shown.Shorten(said.Summary, maxNote)
	}
	if said.Result == rollout.Fail {
		f.evidence = []rollout.Evidence{{Endpoint: host, Expected: "result pass", Got: f.summary}}
	}
	f.figures = map[string]float64{}
	for name, value := range said.Figures {
		f.figures[shorten(name)] = value
	}
	return f
}
