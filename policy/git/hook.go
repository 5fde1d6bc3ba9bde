package git

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"
)

// What a push hook may send, and how long it may take.
const (
	maxHook  = 1 << 20
	hookTime = 10 * time.Second
)

// Hook answers the push hooks of GitHub, GitLab, Gitea and Forgejo, and of anything
// that sends the secret as a bearer token. The secret is read from its file for every
// call. All that a good call does is Trigger: it brings no commit, so to send an old
// one again, or one that says something wrong, changes nothing.
func (s *Source) Hook(secretFile string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "a push hook is a POST", http.StatusMethodNotAllowed)
			return
		}
		// Whoever sends nothing does not hold a connection for ever.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(hookTime))
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHook))
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			http.Error(w, fmt.Sprintf("a push hook has at most %d bytes", maxHook), http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			http.Error(w, "the body did not come whole", http.StatusBadRequest)
			return
		}
		secret, err := readSecret(secretFile)
		if err != nil {
			s.Log.Error("a push hook can't be checked", "err", err)
			http.Error(w, "the secret of push hooks can't be read; look at the server's log", http.StatusInternalServerError)
			return
		}
		switch err := authentic(r.Header, body, secret); {
		case errors.Is(err, errUnsigned):
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		case err != nil:
			s.Log.Warn("a push hook was refused", "from", r.RemoteAddr, "why", err)
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		if ref := pushed(r.Header.Get("Content-Type"), body); ref != "" && !s.follows(ref) {
			fmt.Fprintf(w, "ignored: %s is not followed here\n", clean(ref))
			return
		}
		s.Trigger()
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintln(w, "the repository is being asked")
	})
}

// pushed is the ref that a payload names; empty if it names none, as a ping does.
func pushed(contentType string, body []byte) string {
	if kind, _, err := mime.ParseMediaType(contentType); err == nil && kind == "application/x-www-form-urlencoded" {
		if form, err := url.ParseQuery(string(body)); err == nil && form.Has("payload") {
			body = []byte(form.Get("payload"))
		}
	}
	var payload struct {
		Ref string `json:"ref"`
	}
	if json.Unmarshal(body, &payload) != nil {
		return ""
	}
	return payload.Ref
}
