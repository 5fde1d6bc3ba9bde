package git

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
)

var (
	errUnsigned = errors.New("the call proves nothing; set the secret of the hook where it is sent from")
	errWrong    = errors.New("the secret or the signature of the hook is wrong; set the same secret on both sides")
)

// authentic reports with nil that whoever sent a hook knows the secret. There are as
// many ways to prove that as there are servers; a call has to prove it in every way that
// it tries (Forgejo signs for itself, and as Gitea and GitHub do).
func authentic(h http.Header, body []byte, secret string) error {
	tried, right := 0, 0
	proof := func(header string, good func(string) bool) {
		value := h.Get(header)
		if value == "" {
			return
		}
		if tried++; good(value) {
			right++
		}
	}
	bare := func(value string) bool { return hexMAC(value, body, secret) }
	proof("X-Hub-Signature-256", func(v string) bool { // GitHub
		sum, ok := strings.CutPrefix(v, "sha256=")
		return ok && hexMAC(sum, body, secret)
	})
	proof("X-Gitea-Signature", bare)
	proof("X-Forgejo-Signature", bare)
	proof("X-Gitlab-Token", func(v string) bool { return same(v, secret) })
	proof("Webhook-Signature", func(v string) bool { // GitLab's signing token
		return standardWebhook(v, h.Get("Webhook-Id"), h.Get("Webhook-Timestamp"), body, secret)
	})
	// Other kinds than Bearer are for whatever stands between, such as a proxy.
	if kind, token, _ := strings.Cut(h.Get("Authorization"), " "); strings.EqualFold(kind, "Bearer") {
		proof("Authorization", func(string) bool { return same(strings.TrimSpace(token), secret) })
	}
	switch {
	case tried == 0:
		return errUnsigned
	case right < tried:
		return errWrong
	}
	return nil
}

// standardWebhook checks one of the signatures that a header of Standard Webhooks
// lists: "v1," and the base64 of the HMAC of id, time and body. The time is not looked
// at: an old call does no harm.
func standardWebhook(signatures, id, timestamp string, body []byte, secret string) bool {
	key := []byte(secret)
	if encoded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		decoded, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return false
		}
		key = decoded
	}
	want := mac(key, []byte(id+"."+timestamp+"."), body)
	for signature := range strings.FieldsSeq(signatures) {
		encoded, ok := strings.CutPrefix(signature, "v1,")
		if got, err := base64.StdEncoding.DecodeString(encoded); ok && err == nil && hmac.Equal(got, want) {
			return true
		}
	}
	return false
}

func hexMAC(value string, body []byte, secret string) bool {
	got, err := hex.DecodeString(value)
	return err == nil && hmac.Equal(got, mac([]byte(secret), body))
}

func mac(key []byte, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, key)
	for _, part := range parts {
		m.Write(part)
	}
	return m.Sum(nil)
}

// same compares in a time that tells nothing of either, not even the length.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
