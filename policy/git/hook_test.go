package git

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
)

const hookSecret = "It's a Secret to Everybody"

func TestHookSignatures(t *testing.T) {
	body := []byte("Hello, World!")
	sum := hex.EncodeToString(mac([]byte(hookSecret), body))
	// The example of GitHub's documentation.
	if sum != "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" {
		t.Fatalf("HMAC %s", sum)
	}
	standard := base64.StdEncoding.EncodeToString(mac([]byte(hookSecret), []byte("id.7."), body))
	for _, c := range []struct {
		headers string
		want    error
	}{
		{"", errUnsigned},
		{"X-Hub-Signature: sha1=1234", errUnsigned},
		{"X-Hub-Signature-256: sha256=" + sum, nil},
		{"X-Hub-Signature-256: sha256=" + strings.ToUpper(sum), nil},
		{"X-Hub-Signature-256: " + sum, errWrong},
		{"X-Hub-Signature-256: sha256=" + strings.Replace(sum, "7", "8", 1), errWrong},
		{"X-Hub-Signature-256: sha256=", errWrong},
		{"X-Gitea-Signature: " + sum, nil},
		{"X-Gitea-Signature: " + sum[2:], errWrong},
		{"X-Forgejo-Signature: " + sum, nil},
		{"X-Forgejo-Signature: no hex", errWrong},
		{"X-Forgejo-Signature: " + sum + "|X-Gitea-Signature: " + sum + "|X-Hub-Signature-256: sha256=" + sum, nil},
		{"X-Forgejo-Signature: " + sum + "|X-Gitea-Signature: 00", errWrong},
		{"X-Gitlab-Token: " + hookSecret, nil},
		{"X-Gitlab-Token: " + hookSecret + "x", errWrong},
		{"Webhook-Signature: v1," + standard + "|Webhook-Id: id|Webhook-Timestamp: 7", nil},
		{"Webhook-Signature: v1a,x v1," + standard + "|Webhook-Id: id|Webhook-Timestamp: 7", nil},
		{"Webhook-Signature: v1," + standard + "|Webhook-Id: id|Webhook-Timestamp: 8", errWrong},
		{"Webhook-Signature: v2," + standard + "|Webhook-Id: id|Webhook-Timestamp: 7", errWrong},
		{"Authorization: Bearer " + hookSecret, nil},
		{"Authorization: bearer " + hookSecret, nil},
		{"Authorization: Bearer", errWrong},
		{"Authorization: Basic " + hookSecret, errUnsigned},
		{"Authorization: Basic x|X-Gitlab-Token: " + hookSecret, nil},
	} {
		h := http.Header{}
		for line := range strings.SplitSeq(c.headers, "|") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				h.Set(name, value)
			}
		}
		if got := authentic(h, body, hookSecret); !errors.Is(got, c.want) {
			t.Errorf("%s: %v, want %v", c.headers, got, c.want)
		}
	}
	key := []byte("0123456789abcdef01234567")
	signed := "v1," + base64.StdEncoding.EncodeToString(mac(key, []byte("id.7."), body))
	if !standardWebhook(signed, "id", "7", body, "whsec_"+base64.StdEncoding.EncodeToString(key)) {
		t.Error("a signing token of GitLab does not count")
	}
	if standardWebhook(signed, "id", "7", body, "whsec_no base64") {
		t.Error("a broken secret counts")
	}
}

func TestAPushHookFetches(t *testing.T) {
	a := newAuthor(t)
	a.write("a.yaml", model("a", "one.example"))
	o := a.options()
	o.Interval = time.Hour // nothing but hooks has it look
	first := a.push("One")
	w := watchIt(t, o, policy.Set{})
	w.in(first)
	secret := filepath.Join(t.TempDir(), "secret")
	server := httptest.NewServer(w.source.Hook(secret))
	defer server.Close()
	call := func(method, contentType, body, secret string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, server.URL+"/hooks/git", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", contentType)
		if secret != "" {
			r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac([]byte(secret), []byte(body))))
		}
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(text)
	}
	push := `{"ref": "refs/heads/main", "after": "0000000000000000000000000000000000000000"}`
	if code, _ := call("POST", "application/json", push, hookSecret); code != http.StatusInternalServerError {
		t.Errorf("without a secret file: %d", code)
	}
	writeFile(t, secret, hookSecret+"\n")
	for _, c := range []struct {
		method, contentType, body, secret string
		code                              int
		says                              string
	}{
		{"GET", "", "", hookSecret, 405, "POST"},
		{"POST", "application/json", push, "", 401, "proves nothing"},
		{"POST", "application/json", push, "another", 403, "is wrong"},
		{"POST", "application/json", strings.Repeat("x", maxHook+1), hookSecret, 413, "at most"},
		{"POST", "application/json", `{"ref": "refs/heads/other"}`, hookSecret, 200, "ignored: refs/heads/other"},
	} {
		if code, says := call(c.method, c.contentType, c.body, c.secret); code != c.code || !strings.Contains(says, c.says) || strings.Contains(says, hookSecret) {
			t.Errorf("%s %.40s: %d %s", c.method, c.body, code, says)
		}
	}
	select {
	case <-w.source.wake:
		t.Error("a call that does not count has it look")
	default:
	}
	for _, c := range []struct{ contentType, body string }{
		{"application/json", push},
		{"application/x-www-form-urlencoded", url.Values{"payload": {push}}.Encode()},
		{"application/json", `{"zen": "a ping"}`},
		{"text/plain", "no JSON"},
	} {
		a.write("a.yaml", model("a", "two.example")+"# "+c.contentType+"\n")
		id := a.push("Two")
		for range 5 { // many calls do no harm
			if code, says := call("POST", c.contentType, c.body, hookSecret); code != 202 {
				t.Errorf("%s: %d %s", c.body, code, says)
			}
		}
		w.in(id)
	}
}

func TestWhichPushesMatter(t *testing.T) {
	for _, c := range []struct {
		configured, pushed string
		want               bool
	}{
		{"", "refs/heads/any", true}, // before the first answer nobody knows
		{"main", "refs/heads/main", true}, {"main", "refs/tags/main", true}, {"main", "refs/heads/other", false},
		{"refs/heads/main", "refs/heads/main", true}, {"refs/heads/main", "refs/tags/main", false},
		{"feature/x", "refs/heads/feature/x", true}, {"x", "refs/heads/feature/x", false},
	} {
		s, err := New(Options{URL: "/p.git", Folder: "x", Ref: c.configured})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.follows(c.pushed); got != c.want {
			t.Errorf("ref %q, push to %s: %v", c.configured, c.pushed, got)
		}
	}
}
