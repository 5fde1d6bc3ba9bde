package reconcile

import (
	"context"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// webhookWait bounds one call of a retire webhook.
const webhookWait = 30 * time.Second

// LetGoNote is what a retire webhook is told.
type LetGoNote struct {
	Model    string
	SwitchID string
	Color    policy.Color
	Version  string
	Webhook  string // where to
	Secret   *policy.Secret
}

// letGo announces that a color may be decommissioned or given another duty.
func (l *loop) letGo(a rollout.LetGo) {
	l.log.Info("color may be let go", "switch", a.SwitchID, "color", a.Color, "version", a.Version)
	if a.Webhook == "" || l.o.LetGo == nil {
		l.add(rollout.Retired{})
		return
	}
	note := LetGoNote{Model: l.model, SwitchID: a.SwitchID, Color: a.Color, Version: a.Version, Webhook: a.Webhook, Secret: a.Secret}
	l.background.Go(func() {
		ctx, cancel := context.WithTimeout(l.ctx, webhookWait)
		defer cancel()
		var e rollout.Retired
		if err := l.o.LetGo(ctx, note); err != nil {
			e.Problem = "the retire webhook did not take it: " + err.Error()
			l.log.Error("retire webhook failed", "switch", a.SwitchID, "url", a.Webhook, "error", err)
		}
		select {
		case l.retired <- e:
		case <-l.ctx.Done():
		}
	})
}
