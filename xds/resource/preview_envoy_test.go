package resource_test

import (
	"net/http"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

// TestPreviewOnEnvoy: who chooses a color by header or cookie gets it, or an
// error, and never the other color; and only with the token.
func TestPreviewOnEnvoy(t *testing.T) {
	e, blue, green := startMirror(t, func(r *policy.Route) {
		r.PreviewCookie, r.PreviewToken = "color", &policy.Secret{Env: "GREENLIGHT_SECRET_X"}
	})
	const token, choose = policy.PreviewTokenHeader, "x-model-color"
	type ask struct {
		header []string
		want   string // the model's answer, or the status
	}
	try := func(t *testing.T, asks map[string]ask) {
		t.Helper()
		for name, c := range asks {
			a, err := get(t, e.url(), fraudHost, c.header...)
			got := http.StatusText(a.status)
			if a.status == http.StatusOK {
				got = a.body
			}
			if err != nil || got != c.want {
				t.Errorf("%s: got %d %q, %v, want %s", name, a.status, a.body, err, c.want)
			}
		}
	}
	const forbidden, bad = "Forbidden", "Bad Request"
	try(t, map[string]ask{
		"no token":               {[]string{choose, "green"}, forbidden},
		"no token, live color":   {[]string{choose, "blue"}, forbidden},
		"no token, unknown":      {[]string{choose, "red"}, forbidden},
		"no token, empty":        {[]string{choose, ""}, forbidden},
		"wrong token":            {[]string{choose, "green", token, "wrong"}, forbidden},
		"longer token":           {[]string{choose, "green", token, theToken + "x"}, forbidden},
		"shorter token":          {[]string{choose, "green", token, theToken[1:]}, forbidden},
		"empty token":            {[]string{choose, "green", token, ""}, forbidden},
		"token":                  {[]string{choose, "green", token, theToken}, "green"},
		"token, idle":            {[]string{choose, "idle", token, theToken}, "green"},
		"token, live":            {[]string{choose, "live", token, theToken}, "blue"},
		"token, unknown":         {[]string{choose, "red", token, theToken}, bad},
		"token without a choice": {[]string{token, theToken}, "blue"},
		"wrong, and no choice":   {[]string{token, "wrong"}, "blue"},

		"cookie, no token":         {[]string{"cookie", "color=green"}, forbidden},
		"cookie, wrong token":      {[]string{"cookie", "color=green", token, "wrong"}, forbidden},
		"cookie":                   {[]string{"cookie", "color=green", token, theToken}, "green"},
		"cookie among others":      {[]string{"cookie", "a=b; color=green; c=d", token, theToken}, "green"},
		"cookie, spaced":           {[]string{"cookie", "a=b ;  color=green ;c=d", token, theToken}, "green"},
		"cookie beside bytes":      {[]string{"cookie", "a=\xe9\xff; color=green", token, theToken}, "green"},
		"cookie in a second line":  {[]string{"cookie", "a=b", "cookie", "color=green", token, theToken}, "green"},
		"cookie, unknown":          {[]string{"cookie", "color=greenish", token, theToken}, bad},
		"cookie, quoted":           {[]string{"cookie", `color="green"`, token, theToken}, bad},
		"cookie, empty":            {[]string{"cookie", "color=", token, theToken}, bad},
		"cookie, other case":       {[]string{"cookie", "Color=green", token, theToken}, "blue"},
		"cookie, name's end":       {[]string{"cookie", "xcolor=green", token, theToken}, "blue"},
		"cookie, name's beginning": {[]string{"cookie", "colorx=green", token, theToken}, "blue"},
		"cookie in a value":        {[]string{"cookie", "a=color=green", token, theToken}, "blue"},
		"header over cookie":       {[]string{choose, "blue", "cookie", "color=green", token, theToken}, "blue"},
		"nothing":                  {nil, "blue"},
	})
	for _, r := range append(blue.take(), green.take()...) {
		if r.header.Get(token) != "" {
			t.Errorf("a model was shown a token: %v", r.header)
		}
	}
	for what, endpoints := range map[string][]rollout.Endpoint{
		"no endpoints":     nil,
		"all of them fail": {{ID: "gone", Address: "127.0.0.1", Port: freePort(t), Weight: 1}},
	} {
		t.Run(what, func(t *testing.T) {
			e.endpoints["fraud/green"] = endpoints
			e.publish(t)
			for range 20 {
				for _, how := range [][]string{{choose, "green", token, theToken}, {"cookie", "color=green", token, theToken}} {
					a, err := get(t, e.url(), fraudHost, how...)
					if err != nil || a.status == http.StatusOK && a.body == "blue" {
						t.Fatalf("%v: %v %v", how, a, err)
					}
					if a.status == http.StatusServiceUnavailable && a.header.Get(resource.ColorHeader) != "green" {
						t.Fatalf("%v: %v", how, a)
					}
				}
			}
			eventually(t, "503 of green", func() bool {
				a, err := get(t, e.url(), fraudHost, choose, "green", token, theToken)
				return err == nil && a.status == http.StatusServiceUnavailable && a.header.Get(resource.ColorHeader) == "green"
			})
		})
	}
	e.model.Token = "" // it can't be read
	e.publish(t)
	try(t, map[string]ask{
		"closed":           {[]string{choose, "blue", token, theToken}, forbidden},
		"closed, no token": {[]string{choose, "blue"}, forbidden},
		"closed, empty":    {[]string{choose, "blue", token, ""}, forbidden},
		"closed, cookie":   {[]string{"cookie", "color=blue", token, theToken}, forbidden},
		"users":            {[]string{token, theToken}, "blue"},
	})
}

// TestNewcomersAreGivenACookie: whoever has no cookie is given one that keeps
// them where they are.
func TestNewcomersAreGivenACookie(t *testing.T) {
	e := startSplit(t, func(r *policy.Route) { r.Sticky = policy.Sticky{Cookie: "user", CookieTTL: 90 * time.Second} })
	e.split(t, rollout.Split(policy.Green, 3000))
	seen := map[string]int{}
	for range 200 {
		first, err := get(t, e.url(), fraudHost)
		if err != nil {
			t.Fatal(err)
		}
		cookies := (&http.Response{Header: first.header}).Cookies()
		if len(cookies) != 1 || cookies[0].Name != "user" || cookies[0].MaxAge != 90 || cookies[0].Path != "/" || !cookies[0].HttpOnly {
			t.Fatalf("set-cookie: %v", first.header["Set-Cookie"])
		}
		color := first.header.Get(resource.ColorHeader)
		seen[color]++
		for range 2 {
			again, err := get(t, e.url(), fraudHost, "cookie", "a=b; user="+cookies[0].Value)
			if err != nil || again.header.Get(resource.ColorHeader) != color || len(again.header["Set-Cookie"]) > 0 {
				t.Fatalf("%v %v, was on %s", again, err, color)
			}
		}
	}
	if seen["green"] < 20 || seen["green"] > 100 { // 60, and more than six standard deviations
		t.Errorf("newcomers: %v", seen)
	}
	// Who sends a request's id that no cookie can hold is served like anybody.
	a, err := get(t, e.url(), fraudHost, "x-request-id", "a; Domain=evil")
	if err != nil || a.header.Get(resource.ColorHeader) == "" || len(a.header["Set-Cookie"]) > 0 {
		t.Errorf("%v %v", a, err)
	}
}
