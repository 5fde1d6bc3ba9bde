package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"greenlight/policy"
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

// postRetire sends the note; any status from 200 to 299 accepts it.
func postRetire(ctx context.Context, client *http.Client, url string, note retireNote) error {
	note.Event = "retire"
	body, err := json.Marshal(note)
	if err != nil {
		return fmt.Errorf("write retire note: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("call retire webhook: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", note.SwitchID)
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("call retire webhook: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
		return fmt.Errorf("call retire webhook: %s answered %s: %q", url, resp.Status, bytes.TrimSpace(said))
	}
	return nil
}
