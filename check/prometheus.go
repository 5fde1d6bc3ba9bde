package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	prometheus "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"greenlight/check/shown"
	"greenlight/policy"
	"greenlight/rollout"
)

// maxQueryAnswer bounds what is read of an answer to a query: one number is expected.
const maxQueryAnswer = 1 << 20

// askPrometheus asks for one number of the judged color, and with OfLive for
// the other's, too. Whatever keeps it from getting one number is inconclusive.
func (r *Runner) askPrometheus(ctx context.Context, job rollout.CheckJob, c policy.Check, p *progress) finding {
	server, err := r.prometheusServer(c)
	if err != nil {
		return final("%v", err)
	}
	colors := []policy.Color{job.Target}
	if c.Prometheus.OfLive != nil {
		colors = append(colors, job.Target.Other())
	}
	p.begin(len(colors))
	var values []float64
	var notes []string
	for _, color := range colors {
		query, err := fillQuery(c.Prometheus.Query, job, color)
		if err != nil {
			return final("%v", err)
		}
		value, said, err := queryOne(ctx, server, query)
		notes = append(notes, said...)
		if err != nil {
			f := failedQuery(ctx, color, c.Prometheus.Server, err)
			f.detail = &rollout.Detail{Notes: notes}
			return f
		}
		values = append(values, value)
		p.step()
	}
	f := judgeValue(c.Prometheus, values)
	f.detail = &rollout.Detail{Notes: notes}
	return f
}

// prometheusServer is the official client of the check's server.
func (r *Runner) prometheusServer(c policy.Check) (prometheus.API, error) {
	target, err := url.Parse(c.Prometheus.Server)
	if err != nil {
		return nil, fmt.Errorf("parse server: %w", withoutURL(err))
	}
	outside, err := r.outside(target, c.Name, maxQueryAnswer)
	if err != nil {
		return nil, err
	}
	if c.Prometheus.Token != nil {
		token, err := r.Secret(*c.Prometheus.Token)
		if err != nil {
			return nil, err
		}
		outside.Transport = bearer{token: token, next: outside.Transport}
	}
	client, err := api.NewClient(api.Config{Address: c.Prometheus.Server, Client: outside})
	if err != nil {
		return nil, fmt.Errorf("make client: %w", withoutURL(err))
	}
	return prometheus.NewAPI(client), nil
}

// bearer sends a token with each request.
type bearer struct {
	token string
	next  http.RoundTripper
}

func (b bearer) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(request) //nolint:wrapcheck // net/http names the request
}

var placeholder = regexp.MustCompile(`\$(color|model|version)\b`)

// fillQuery puts color and what belongs to it for the placeholders.
func fillQuery(query string, job rollout.CheckJob, color policy.Color) (string, error) {
	var problem error
	filled := placeholder.ReplaceAllStringFunc(query, func(name string) string {
		switch name {
		case "$color":
			return string(color)
		case "$model":
			return inPromQL(job.Model)
		default:
			versions := job.Endpoints.Versions(color)
			if len(versions) != 1 || versions[0] == "" {
				problem = fmt.Errorf("the query has $version, but the ready endpoints of %s serve %s", color, versionsInWords(versions))
				return ""
			}
			return inPromQL(versions[0])
		}
	})
	return filled, problem
}

func versionsInWords(versions []string) string {
	versions = slices.DeleteFunc(slices.Clone(versions), func(v string) bool { return v == "" })
	switch len(versions) {
	case 0:
		return "none that is known"
	case 1:
		return versions[0] + " and one that is not known"
	default:
		return shorten(strings.Join(versions, ", "))
	}
}

// inPromQL makes s safe within any of PromQL's quotes: the escapes are valid in
// both kinds of quoted strings, and no backtick is left to end a raw one.
func inPromQL(s string) string {
	var out strings.Builder
	for _, b := range []byte(s) {
		if b < ' ' || strings.IndexByte("\\\"'`", b) >= 0 {
			fmt.Fprintf(&out, `\x%02x`, b)
		} else {
			out.WriteByte(b)
		}
	}
	return out.String()
}

// queryOne asks for one finite number. notes are what the server remarked.
func queryOne(ctx context.Context, server prometheus.API, query string) (value float64, notes []string, err error) {
	answer, warnings, infos, err := server.Query(ctx, query, time.Time{})
	for _, w := range warnings {
		notes = append(notes, "Prometheus warns: "+w)
	}
	for _, i := range infos {
		notes = append(notes, "Prometheus says: "+i)
	}
	if err != nil {
		return 0, notes, err //nolint:wrapcheck // failedQuery puts it in words
	}
	value, err = oneNumber(answer)
	return value, notes, err
}

// oneNumber is the number of a scalar or of the only element of a vector.
func oneNumber(answer model.Value) (float64, error) {
	var value float64
	switch a := answer.(type) {
	case *model.Scalar:
		if a == nil {
			return 0, errors.New("the query gives nothing")
		}
		value = float64(a.Value)
	case model.Vector:
		switch {
		case len(a) == 0:
			return 0, errors.New("no series: nothing was measured, or the query names what is not there")
		case len(a) > 1:
			return 0, fmt.Errorf("%d series where one is wanted (%s, %s, …); put them together in the query, as with sum(…)",
				len(a), shorten(a[0].Metric.String()), shorten(a[1].Metric.String()))
		case a[0].Histogram != nil:
			return 0, errors.New("the query gives a histogram; must be one number, as histogram_quantile(…) gives it")
		}
		value = float64(a[0].Value)
	default:
		return 0, fmt.Errorf("the query gives a %s; must be a scalar or a vector of one element", answer.Type())
	}
	if !finite(value) {
		return 0, fmt.Errorf("the value is %v, as after a division by 0", value)
	}
	return value, nil
}

// failedQuery says why there is no number. A query that the server refuses
// stays refused.
func failedQuery(ctx context.Context, color policy.Color, server string, err error) finding {
	if ctx.Err() != nil {
		return waiting("%s has not answered", server)
	}
	f := inconclusive("%s: %s", color, shown.Shorten(withoutURL(err).Error(), maxNote))
	if refused, ok := errors.AsType[*prometheus.Error](err); ok {
		f.final = refused.Type == prometheus.ErrBadData
		if refused.Detail != "" {
			f.summary += ": " + shorten(refused.Detail)
		}
	}
	return f
}
