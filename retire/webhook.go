package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"greenlight/check"
	"greenlight/policy"
	"greenlight/reconcile"
)

// retireNote is what a retire webhook is sent: the color that may be let go.
// The same note may come more than once; SwitchID tells that it is the same.
type retireNote struct {
	Event    string       `json:"event"` // always "retire"
	Model    string       `json:"model"`
	SwitchID string       `json:"switchId"`
	Color    policy.Color `json:"color"`
	Version  string       `json:"version,omitempty"`
}

// retirer calls retire webhooks.
type retirer struct {
	client *http.Client
	secret func(policy.Secret) (string, error)
}

// letGo sends the note. A status from 200 to 299 accepts it, but 202 says that the
// work is under way: then, as after a failure, the same note is sent again later.
func (r retirer) letGo(ctx context.Context, n reconcile.LetGoNote) error {
	body, err := json.Marshal(retireNote{Event: "retire", Model: n.Model, SwitchID: n.SwitchID, Color: n.Color, Version: n.Version})
	if err != nil {
		return fmt.Errorf("write retire note: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.Webhook, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("call retire webhook: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", n.SwitchID)
	if n.Secret != nil {
		secret, err := r.secret(*n.Secret)
		if err != nil {
			return fmt.Errorf("sign retire note: %w", err)
		}
		req.Header.Set(check.SignatureHeader, check.Sign(body, secret, time.Now()))
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("call retire webhook: %w", err)
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	switch {
	case resp.StatusCode == http.StatusAccepted:
		return fmt.Errorf("%s answered %s: the work is under way, it is asked again: %q", n.Webhook, resp.Status, bytes.TrimSpace(said))
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return fmt.Errorf("call retire webhook: %s answered %s: %q", n.Webhook, resp.Status, bytes.TrimSpace(said))
	}
	return nil
}
