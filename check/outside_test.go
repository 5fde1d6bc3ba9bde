package check_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"greenlight/check"
	"greenlight/policy"
	"greenlight/rollout"
)

// service starts a server that is no endpoint of the model, and the options
// that allow it.
func service(t *testing.T, h http.HandlerFunc) (string, check.Options) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL, check.Options{Hosts: hosts(t, s.Listener.Addr().String())}
}

func hosts(t *testing.T, list string) check.Hosts {
	t.Helper()
	h, err := check.ParseHosts(list)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// series is an answer of Prometheus: a vector with these values.
func series(values ...string) string {
	var out []string
	for i, v := range values {
		out = append(out, fmt.Sprintf(`{"metric":{"pod":"p%d"},"value":[1700000000,%q]}`, i, v))
	}
	return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(out, ",") + `]}}`
}

func query(server string, c policy.PrometheusCheck) policy.Check {
	c.Server = server
	if c.Query == "" {
		c.Query = `sum(rate(errors{color="$color"}[5m]))`
	}
	return policy.Check{Name: "prometheus", Timeout: 10 * time.Second, Prometheus: &c}
}

func ptr[T any](v T) *T { return &v }

func TestPrometheusAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		status int
		result rollout.Result
		says   string
	}{
		"a vector":           {series("0.005"), 200, rollout.Pass, "0.005 is at least 0 and at most 0.01"},
		"a scalar":           {`{"status":"success","data":{"resultType":"scalar","result":[1700000000,"0.01"]}}`, 200, rollout.Pass, "0.01 is"},
		"too much":           {series("0.02"), 200, rollout.Fail, "0.02 is more than 0.01 (must be at most 0.01)"},
		"too little":         {series("-1"), 200, rollout.Fail, "-1 is less than 0"},
		"no series":          {series(), 200, rollout.Inconclusive, "green: no series"},
		"two series":         {series("0", "0"), 200, rollout.Inconclusive, `2 series where one is wanted ({pod="p0"}, {pod="p1"}, …); put them together`},
		"NaN":                {series("NaN"), 200, rollout.Inconclusive, "the value is NaN"},
		"infinite":           {series("+Inf"), 200, rollout.Inconclusive, "the value is +Inf"},
		"a matrix":           {`{"status":"success","data":{"resultType":"matrix","result":[]}}`, 200, rollout.Inconclusive, "gives a matrix"},
		"a string":           {`{"status":"success","data":{"resultType":"string","result":[1,"0"]}}`, 200, rollout.Inconclusive, "unexpected value type"},
		"a histogram":        {`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1700000000,{"count":"1","sum":"0","buckets":[[0,"0","1","1"]]}]}]}}`, 200, rollout.Inconclusive, "gives a histogram"},
		"a bad query":        {`{"status":"error","errorType":"bad_data","error":"parse error: unclosed"}`, 400, rollout.Inconclusive, "bad_data: parse error: unclosed"},
		"a time-out there":   {`{"status":"error","errorType":"timeout","error":"query timed out"}`, 503, rollout.Inconclusive, "query timed out"},
		"an error with 200":  {`{"status":"error","errorType":"execution","error":"many-to-many"}`, 200, rollout.Inconclusive, "many-to-many"},
		"a proxy's page":     {"<html>bad gateway</html>", 502, rollout.Inconclusive, "502"},
		"no JSON":            {"0.005", 200, rollout.Inconclusive, "green: bad_response"},
		"another type":       {`{"status":"success","data":{"resultType":"tensor","result":[]}}`, 200, rollout.Inconclusive, "tensor"},
		"nothing":            {"", 200, rollout.Inconclusive, "green: bad_response"},
		"a redirect":         {"", 302, rollout.Inconclusive, "302"},
		"wrong types":        {`{"status":"success","data":{"resultType":"vector","result":[{"value":["x",1]}]}}`, 200, rollout.Inconclusive, "green: "},
		"a null vector":      {`{"status":"success","data":{"resultType":"vector","result":null}}`, 200, rollout.Inconclusive, "no series"},
		"a null scalar":      {`{"status":"success","data":{"resultType":"scalar","result":null}}`, 200, rollout.Inconclusive, ""},
		"a null element":     {`{"status":"success","data":{"resultType":"vector","result":[null]}}`, 200, rollout.Inconclusive, ""},
		"far too much of it": {series("0.005") + strings.Repeat(" ", 2<<20), 200, rollout.Inconclusive, "the answer is too large"},
	} {
		t.Run(name, func(t *testing.T) {
			server, o := service(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			v := runOne(t, o, query(server, policy.PrometheusCheck{Min: ptr(0.0), Max: ptr(0.01)}))
			wantVerdict(t, v, c.result, c.says)
			if c.result != rollout.Inconclusive && len(v.Measures) != 2 {
				t.Errorf("measures %+v", v.Measures)
			}
		})
	}
}

func TestPrometheusAgainstLive(t *testing.T) {
	for _, c := range []struct {
		idle, live string
		result     rollout.Result
		says       string
	}{
		{"1.1", "1", rollout.Pass, "1.1 (live 1) is at most 120% of live"},
		{"1.3", "1", rollout.Fail, "1.3 is 130% of live's 1"},
		{"0", "0", rollout.Pass, "0 (live 0) is"},
		{"0.1", "0", rollout.Fail, "0.1 is more than live's 0"},
		{"-2", "-1", rollout.Inconclusive, "live's value -1 is negative"},
	} {
		server, o := service(t, func(w http.ResponseWriter, r *http.Request) {
			answer := map[string]string{
				`a{color="green",model="m",version="2"}`:    c.idle,
				`a{color="blue",model="m",version="1\x22"}`: c.live,
			}[r.FormValue("query")]
			_, _ = io.WriteString(w, series(answer))
		})
		j := job([]policy.Check{query(server, policy.PrometheusCheck{
			Query: `a{color="$color",model="$model",version="$version"}`, OfLive: ptr(1.2),
		})}, rollout.Endpoint{ID: "g", Version: "2"})
		j.Endpoints.Blue = []rollout.Endpoint{{ID: "b", Version: `1"`}}
		v := check.New(o).Run(t.Context(), j)[0]
		wantVerdict(t, v, c.result, c.says)
		if _, ratio := v.Figures["ratio"]; ratio != (c.live != "0") {
			t.Errorf("figures %v", v.Figures)
		}
	}
}

func TestPrometheusNeedsOneVersion(t *testing.T) {
	j := job([]policy.Check{query("http://p", policy.PrometheusCheck{Query: `a{v="$version"}`, Min: ptr(0.0)})},
		rollout.Endpoint{ID: "a", Version: "1"}, rollout.Endpoint{ID: "b", Version: "2"})
	v := check.New(check.Options{Hosts: hosts(t, "p")}).Run(t.Context(), j)[0]
	wantVerdict(t, v, rollout.Inconclusive, "the query has $version, but the ready endpoints of green serve 1, 2")
}

func TestPrometheusTokenAndWarnings(t *testing.T) {
	t.Setenv("GREENLIGHT_SECRET_PROM", "s3cret")
	server, o := service(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer s3cret" || r.Header.Get("x-greenlight-check") != "prometheus" {
			w.WriteHeader(401)
		}
		_, _ = io.WriteString(w, strings.Replace(series("0"), `"data"`, `"warnings":["half is missing"],"data"`, 1))
	})
	v := runOne(t, o, query(server, policy.PrometheusCheck{Max: ptr(0.0), Token: &policy.Secret{Env: "GREENLIGHT_SECRET_PROM"}}))
	wantVerdict(t, v, rollout.Pass)
	if v.Detail == nil || v.Detail.Notes[0] != "Prometheus warns: half is missing" {
		t.Errorf("detail %+v", v.Detail)
	}
}

// A silent service says nothing of the model.
func TestSilentServiceIsInconclusive(t *testing.T) {
	server, o := service(t, hang)
	q := query(server, policy.PrometheusCheck{Max: ptr(0.0)})
	w := hook(server)
	q.Timeout, w.Timeout = 100*time.Millisecond, 100*time.Millisecond
	wantVerdict(t, runOne(t, o, q), rollout.Inconclusive, "timed out after 100ms: "+server+" has not answered")
	wantVerdict(t, runOne(t, o, w), rollout.Inconclusive, "timed out after 100ms: ", "has not answered")
}

func hook(target string) policy.Check {
	return policy.Check{Name: "webhook", Timeout: 10 * time.Second, Webhook: &policy.WebhookCheck{URL: target}}
}

func TestWebhookAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		result rollout.Result
		says   string
	}{
		"pass":         {200, `{"result":"pass","summary":"all good","figures":{"x":1.5}}`, rollout.Pass, "says pass: all good"},
		"fail":         {200, `{"result":"fail","summary":"not today"}`, rollout.Fail, "says fail: not today"},
		"open":         {200, `{"result":"inconclusive"}`, rollout.Inconclusive, "says inconclusive"},
		"no result":    {200, `{"summary":"fine"}`, rollout.Inconclusive, `the result ""; must be pass, fail or inconclusive`},
		"another word": {200, `{"result":"PASS"}`, rollout.Inconclusive, `the result "PASS"`},
		"null":         {200, `null`, rollout.Inconclusive, `the result ""`},
		"no JSON":      {200, `pass`, rollout.Inconclusive, "can't be read"},
		"two":          {200, `{"result":"pass"}{"result":"pass"}`, rollout.Inconclusive, "can't be read"},
		"words":        {200, `{"result":"pass","figures":{"x":"y"}}`, rollout.Inconclusive, "can't be read"},
		"infinite":     {200, `{"result":"pass","figures":{"x":1e999}}`, rollout.Inconclusive, "can't be read"},
		"nothing":      {200, ``, rollout.Inconclusive, "can't be read"},
		"created":      {201, `{"result":"pass"}`, rollout.Inconclusive, "status 201"},
		"forbidden":    {403, `{"result":"pass"}`, rollout.Inconclusive, "status 403"},
		"redirect":     {307, ``, rollout.Inconclusive, `a redirect to "/elsewhere"`},
		"large":        {200, `{"result":"pass","summary":"` + strings.Repeat("x", 64<<10) + `"}`, rollout.Inconclusive, "more than 65536 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			server, o := service(t, func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			check := hook(server)
			if name != "open" {
				check.Retries = 2 // none of these is worth a second try
			}
			v := runOne(t, o, check)
			wantVerdict(t, v, c.result, c.says)
			if asked.Load() != 1 {
				t.Errorf("asked %d times", asked.Load())
			}
			if name == "pass" {
				wantFigures(t, v, map[string]float64{"x": 1.5})
			}
		})
	}
}

// A receiver can verify who asks, and knows a second attempt as one.
func TestWebhookIsSignedAndToldEverything(t *testing.T) {
	t.Setenv("GREENLIGHT_SECRET_GATE", "key")
	var mu sync.Mutex
	var keys []string
	var told struct {
		Model, Check, Color, Switch, Stage, Actor, Reason string
		Target                                            rollout.Target
		Weights                                           map[string]float64
		Verdicts                                          []rollout.Verdict
	}
	server, o := service(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		var at, signature string
		if _, err := fmt.Sscanf(strings.Replace(r.Header.Get("x-greenlight-signature"), ",v1=", " ", 1), "t=%s %s", &at, &signature); err != nil {
			t.Error(err)
		}
		mac := hmac.New(sha256.New, []byte("key"))
		mac.Write([]byte(at + "." + string(body)))
		if signature != hex.EncodeToString(mac.Sum(nil)) {
			t.Errorf("the signature %s of %s is wrong", signature, at)
		}
		if err := json.Unmarshal(body, &told); err != nil {
			t.Error(err)
		}
		if keys = append(keys, r.Header.Get("Idempotency-Key")); len(keys) == 1 {
			w.WriteHeader(503)
			return
		}
		_, _ = io.WriteString(w, `{"result":"pass"}`)
	})
	c := hook(server)
	c.Retries, c.Webhook.Secret = 1, &policy.Secret{Env: "GREENLIGHT_SECRET_GATE"}
	j := job([]policy.Check{c})
	j.Earlier = []rollout.Verdict{{Check: "quality", Kind: "quality", Result: rollout.Pass, Summary: "fine", Figures: map[string]float64{"rows": 7}}}
	j.For = rollout.CheckFor{Switch: "s1", Stage: "5%", Actor: "ann", Reason: "new", Weights: rollout.Split(policy.Green, 500), Target: rollout.Target{Idle: "green", IdleVersion: "2"}}
	r := check.New(o)
	wantVerdict(t, r.Run(t.Context(), j)[0], rollout.Pass, "measured 2 times")
	wantVerdict(t, r.Run(t.Context(), j)[0], rollout.Pass)
	if len(keys) != 3 || keys[0] == "" || keys[0] != keys[1] || keys[1] == keys[2] {
		t.Errorf("keys %q", keys)
	}
	if told.Model != "m" || told.Check != "webhook" || told.Color != "green" || told.Switch != "s1" || told.Stage != "5%" || told.Actor != "ann" ||
		told.Reason != "new" || told.Weights["green"] != 5 || told.Weights["blue"] != 95 || told.Target != (rollout.Target{Idle: "green", IdleVersion: "2", Live: "blue"}) {
		t.Errorf("told %+v", told)
	}
	if len(told.Verdicts) != 1 || told.Verdicts[0].Figures["rows"] != 7 || told.Verdicts[0].Result != rollout.Pass {
		t.Errorf("told of %+v", told.Verdicts)
	}
}

func TestOnlyAllowedHostsAreReached(t *testing.T) {
	var asked atomic.Bool
	server, o := service(t, func(http.ResponseWriter, *http.Request) { asked.Store(true) })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(server, "http://"))
	t.Setenv("HTTP_PROXY", server)
	for _, list := range []string{"", "127.0.0.2", "127.0.0.1:1", "localhost:" + port, "127.0.0.1.internal"} {
		o.Hosts = hosts(t, list)
		v := runOne(t, o, hook(server))
		wantVerdict(t, v, rollout.Inconclusive, "host 127.0.0.1:"+port+" is not allowed; name it with --check-hosts")
		wantVerdict(t, runOne(t, o, query(server, policy.PrometheusCheck{Max: ptr(0.0)})), rollout.Inconclusive, "is not allowed")
	}
	for _, target := range []string{"file:///etc/passwd", "gopher://127.0.0.1", "127.0.0.1", ""} {
		wantVerdict(t, runOne(t, o, hook(target)), rollout.Inconclusive, "no URL of a service")
	}
	if asked.Load() {
		t.Error("a host was reached that is not allowed")
	}
	o.Hosts = hosts(t, "other, 127.0.0.1")
	if runOne(t, o, hook(server)); !asked.Load() {
		t.Error("an allowed host was not reached")
	}
}

func TestHosts(t *testing.T) {
	for list, bad := range map[string]bool{
		"": false, "a, b.c:1,": false, "A.b.": false, "[::1]:80,::1,[::2]": false, "10.0.0.1": false,
		"a b": true, "*.a": true, "http://a": true, "a/b": true, "a:b": true, "a:0": true, "a:65536": true, ":80": true, "[a]:x": true, "u@h": true,
	} {
		if _, err := check.ParseHosts(list); (err != nil) != bad {
			t.Errorf("%q: %v", list, err)
		}
	}
}

func TestSecrets(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	for name, text := range map[string]string{
		filepath.Join(dir, "good"): "key\r\n", filepath.Join(dir, "empty"): "\n", outside: "stolen",
		filepath.Join(dir, "large"): strings.Repeat("x", 64<<10+1),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GREENLIGHT_SECRET_X", "key")
	t.Setenv("GREENLIGHT_ADMIN", "stolen")
	var got atomic.Value
	server, o := service(t, func(w http.ResponseWriter, r *http.Request) {
		got.Store(r.Header.Get("Authorization"))
		_, _ = io.WriteString(w, series("0"))
	})
	for secret, says := range map[policy.Secret]string{
		{Env: "GREENLIGHT_SECRET_X"}: "", {File: "good"}: "",
		{Env: "GREENLIGHT_SECRET_Y"}: "secret GREENLIGHT_SECRET_Y: not set; set the variable for greenlight serve",
		{Env: "GREENLIGHT_ADMIN"}:    "must begin with GREENLIGHT_SECRET_",
		{File: "empty"}:              "secret empty: the file is empty",
		{File: "large"}:              "longer than 65536 bytes",
		{File: "missing"}:            "no such file",
		{File: "."}:                  "not a regular file",
		{File: "link"}:               "escapes",
		{File: "../outside"}:         "escapes",
		{File: outside}:              "escapes",
	} {
		got.Store("")
		o.Secrets = dir
		v := runOne(t, o, query(server, policy.PrometheusCheck{Max: ptr(0.0), Token: &secret}))
		if says == "" {
			wantVerdict(t, v, rollout.Pass)
			if got.Load() != "Bearer key" {
				t.Errorf("%+v: sent %q", secret, got.Load())
			}
			continue
		}
		wantVerdict(t, v, rollout.Inconclusive, says)
		if got.Load() != "" {
			t.Errorf("%+v: asked all the same", secret)
		}
	}
	o.Secrets = ""
	v := runOne(t, o, query(server, policy.PrometheusCheck{Max: ptr(0.0), Token: &policy.Secret{File: "good"}}))
	wantVerdict(t, v, rollout.Inconclusive, "name the folder of secrets with --check-secrets")
}

func TestExpression(t *testing.T) {
	verdicts := []rollout.Verdict{
		{Check: "quality-2", Result: rollout.Pass, Figures: map[string]float64{"accuracy.idle": 0.91, "accuracy.live": 0.9}},
		{Check: "latency", Result: rollout.Inconclusive, Summary: "blue has no ready endpoint"},
	}
	uses := []string{"latency.p99.ratio", "quality_2.accuracy.idle", "quality_2.accuracy.live", "drift.psi"}
	for text, c := range map[string]struct {
		result rollout.Result
		says   string
	}{
		"quality_2.accuracy.idle >= quality_2.accuracy.live - 0.002": {rollout.Pass, "is true: quality_2.accuracy.idle = 0.91, quality_2.accuracy.live = 0.9"},
		"quality_2.accuracy.idle > 0.95":                             {rollout.Fail, "is false: quality_2.accuracy.idle = 0.91"},
		"latency.p99.ratio < 1.2":                                    {rollout.Inconclusive, "latency.p99.ratio was not measured: check latency is inconclusive (blue has no ready endpoint)"},
		"quality_2.accuracy.idle > 0.0 || latency.p99.ratio < 1.2":   {rollout.Inconclusive, "latency.p99.ratio was not measured"},
		"drift.psi < 0.1":                                            {rollout.Inconclusive, "drift.psi was not measured: no check drift has run"},
		"nothing.known > 1.0":                                        {rollout.Inconclusive, "nothing.known is unknown"},
	} {
		j := job([]policy.Check{{Name: "expression", Expression: &policy.ExpressionCheck{Text: text, Uses: uses}}})
		j.Earlier = verdicts
		v := check.New(check.Options{}).Run(context.Background(), j)[0]
		wantVerdict(t, v, c.result, c.says)
		if c.result != rollout.Inconclusive && (v.Measures[0].Rule != text || *v.Measures[1].Idle != 0.91) {
			t.Errorf("measures %+v", v.Measures)
		}
	}
}

// What the resolver says of an allowed name is where the request goes.
func TestNamesAreResolved(t *testing.T) {
	server, o := service(t, respond(200, `{"result":"pass"}`))
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	o.Hosts = hosts(t, "localhost:"+u.Port())
	v := runOne(t, o, hook("http://LOCALHOST:"+u.Port()+"/gate"))
	wantVerdict(t, v, rollout.Pass)
}
