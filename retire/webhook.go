package retire

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"greenlight/policy"
	"greenlight/rollout"
)

// note is what a retire webhook is sent: the instances that may be let go, or are
// wanted back. The same note may come more than once; the header Idempotency-Key tells
// that it is the same.
type note struct {
	Event     string       `json:"event"` // "retire" or "restore"
	Model     string       `json:"model"`
	SwitchID  string       `json:"switchId"`
	Color     policy.Color `json:"color"`
	Version   string       `json:"version,omitempty"`
	Instances []instance   `json:"instances"`
	Left      int          `json:"left"` // how many others of the color stay
}

// instance is one of them, as the registry knows it.
type instance struct {
	ID      string `json:"id"`
	Address string `json:"address"`
	Port    int    `json:"port"`
	Version string `json:"version,omitempty"`
}

func noteOf(model string, a rollout.LetGo) note {
	n := note{Event: "retire", Model: model, SwitchID: a.SwitchID, Color: a.Color, Version: a.Version, Instances: []instance{}, Left: a.Left}
	if a.Restore {
		n.Event = "restore"
	}
	for _, e := range a.Instances {
		n.Instances = append(n.Instances, instance{ID: e.ID, Address: e.Address, Port: e.Port, Version: e.Version})
	}
	return n
}

// tell sends the note. A status from 200 to 299 accepts it, but 202 says that the
// work is under way: then, as after a failure, the same note is sent again later.
func (r *Retirer) tell(ctx context.Context, model string, a rollout.LetGo) error {
	body, err := json.Marshal(noteOf(model, a))
	if err != nil {
		return fmt.Errorf("write retire note: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.How.Webhook, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("call retire webhook: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", a.Key)
	if a.How.Secret != nil {
		secret, err := r.o.Secret(*a.How.Secret)
		if err != nil {
			return fmt.Errorf("sign retire note: %w", err)
		}
		r.o.Sign(req, body, secret)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("call retire webhook: %w", err)
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	switch {
	case resp.StatusCode == http.StatusAccepted:
		return fmt.Errorf("%s answered %s: the work is under way, it is asked again: %q", a.How.Webhook, resp.Status, bytes.TrimSpace(said))
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return fmt.Errorf("call retire webhook: %s answered %s: %q", a.How.Webhook, resp.Status, bytes.TrimSpace(said))
	}
	return nil
}
