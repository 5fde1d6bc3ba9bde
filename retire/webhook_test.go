package retire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"greenlight/policy"
	"greenlight/rollout"
)

var wish = rollout.LetGo{
	Key: "20261101T120000-fraud-0001", SwitchID: "20261101T120000-fraud-0001", Color: policy.Blue, Version: "2026-10-01",
	Instances: []rollout.Endpoint{{ID: "b1", Address: "10.0.0.1", Port: 8080, Version: "2026-10-01"}, {ID: "b2", Address: "10.0.0.2", Port: 8080}},
}

// hook answers with a status and a body and says what it was sent.
func hook(t *testing.T, status int, body string, seen func(r *http.Request, body []byte)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if seen != nil {
			seen(r, got)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/retire"
}

func post(ctx context.Context, url string, a rollout.LetGo) error {
	a.How.Webhook = url
	r := New(Options{
		Secret: func(s policy.Secret) (string, error) {
			if s.Env != "RETIRE" {
				return "", errors.New("no such secret")
			}
			return "s3cret", nil
		},
		Sign: func(r *http.Request, body []byte, secret string) {
			r.Header.Set("X-Signature", secret+" "+string(body))
		},
	})
	r.client.Transport = &http.Transport{DisableKeepAlives: true}
	return r.LetGo(ctx, "fraud", a)
}

// The hook can tell that the note is Greenlight's, and that nobody changed it.
func TestRetireNoteIsSigned(t *testing.T) {
	signed := wish
	signed.How.Secret = &policy.Secret{Env: "RETIRE"}
	url := hook(t, http.StatusOK, "", func(r *http.Request, body []byte) {
		if got, want := r.Header.Get("X-Signature"), "s3cret "+string(body); got != want {
			t.Errorf("signature %q, want %q", got, want)
		}
	})
	if err := post(t.Context(), url, signed); err != nil {
		t.Error(err)
	}
	signed.How.Secret.Env = "GONE"
	if err := post(t.Context(), url, signed); err == nil || !strings.Contains(err.Error(), "no such secret") {
		t.Errorf("unsigned: %v", err)
	}
}

func TestRetireNote(t *testing.T) {
	calls := 0
	url := hook(t, http.StatusNoContent, "", func(r *http.Request, body []byte) {
		calls++
		if r.Method != http.MethodPost || r.URL.Path != "/retire" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		if got := r.Header.Values("Idempotency-Key"); len(got) != 1 || got[0] != wish.Key {
			t.Errorf("idempotency key %q, want the wish's", got)
		}
		want := `{"event":"retire","model":"fraud","switchId":"20261101T120000-fraud-0001","color":"blue","version":"2026-10-01",` +
			`"instances":[{"id":"b1","address":"10.0.0.1","port":8080,"version":"2026-10-01"},{"id":"b2","address":"10.0.0.2","port":8080}],"left":0}`
		if string(body) != want {
			t.Errorf("note %s\nwant %s", body, want)
		}
	})
	for range 2 { // the same note again is the same note
		if err := post(t.Context(), url, wish); err != nil {
			t.Fatal(err)
		}
	}
	if calls != 2 {
		t.Errorf("%d calls", calls)
	}
}

// A batch is asked for back under a key of its own, and what stayed is told.
func TestRestoreNote(t *testing.T) {
	back := wish
	back.Key, back.Restore, back.Instances, back.Left = wish.SwitchID+"-restore-1", true, wish.Instances[1:], 1
	url := hook(t, http.StatusOK, "", func(r *http.Request, body []byte) {
		if r.Header.Get("Idempotency-Key") != back.Key {
			t.Errorf("key %q", r.Header.Get("Idempotency-Key"))
		}
		if !strings.Contains(string(body), `"event":"restore"`) || !strings.HasSuffix(string(body), `"instances":[{"id":"b2","address":"10.0.0.2","port":8080}],"left":1}`) {
			t.Errorf("note %s", body)
		}
	})
	if err := post(t.Context(), url, back); err != nil {
		t.Error(err)
	}
}

func TestRetireNoteWithoutVersion(t *testing.T) {
	bare := wish
	bare.Version, bare.Instances = "", wish.Instances[1:]
	url := hook(t, http.StatusOK, "", func(_ *http.Request, body []byte) {
		if strings.Contains(string(body), `"version"`) {
			t.Errorf("note %s", body)
		}
	})
	if err := post(t.Context(), url, bare); err != nil {
		t.Error(err)
	}
}

func TestRetireStatuses(t *testing.T) {
	for status, accepted := range map[int]bool{
		200: true, 201: true, 202: false, 204: true, 299: true,
		300: false, 304: false, 400: false, 401: false, 404: false, 409: false, 429: false, 500: false, 503: false,
	} {
		url := hook(t, status, "", nil)
		err := post(t.Context(), url, wish)
		if (err == nil) != accepted {
			t.Errorf("%d: %v", status, err)
		}
		if want := fmt.Sprintf("%s answered %d %s", url, status, http.StatusText(status)); err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%d: %v names neither hook nor status", status, err)
		}
	}
}

// What the hook said is shown, but not all of it, and not as it came.
func TestRetireRefusalIsShown(t *testing.T) {
	err := post(t.Context(), hook(t, http.StatusConflict, " still\x1b[31m busy\n"+strings.Repeat("x", 1<<20), nil), wish)
	if err == nil || len(err.Error()) > 400 || !strings.Contains(err.Error(), `answered 409 Conflict: "still\x1b[31m busy\nxxx`) {
		t.Errorf("%.500v", err)
	}
}

func TestRetireWithoutAnAnswer(t *testing.T) {
	if err := post(t.Context(), "http://127.0.0.1:1/", wish); err == nil || !strings.Contains(err.Error(), "call retire webhook: ") {
		t.Error(err)
	}
	if err := post(t.Context(), "://", wish); err == nil || !strings.Contains(err.Error(), "call retire webhook: ") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := post(ctx, hook(t, http.StatusOK, "", nil), wish); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Whoever answers in another's place has let nothing go: a login page answers 200.
func TestRetireHookThatRedirects(t *testing.T) {
	asked := 0
	page := hook(t, http.StatusOK, "<h1>log in</h1>", func(*http.Request, []byte) { asked++ })
	for _, status := range []int{http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect} {
		s := httptest.NewServer(http.RedirectHandler(page, status))
		err := post(t.Context(), s.URL, wish)
		s.Close()
		if err == nil || asked != 0 {
			t.Errorf("%d: accepted with %v by a page that was asked %d times", status, err, asked)
		}
	}
}
