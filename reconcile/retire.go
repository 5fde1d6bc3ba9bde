package reconcile

import (
	"context"
	"time"

	"greenlight/rollout"
)

// letGoWait bounds one try to have instances let go, or brought back.
const letGoWait = 30 * time.Second

// letGo has instances decommissioned, or brought back.
func (l *loop) letGo(a rollout.LetGo) {
	log := l.log.With("switch", a.SwitchID, "color", a.Color, "version", a.Version, "instances", len(a.Instances), "left", a.Left)
	if a.Restore {
		log.Info("instances are asked for back")
	} else {
		log.Info("instances may be let go")
	}
	l.background.Go(func() {
		ctx, cancel := context.WithTimeout(l.ctx, letGoWait)
		defer cancel()
		e := rollout.Retired{Key: a.Key}
		if err := l.o.Retirer.LetGo(ctx, l.model, a); err != nil {
			e.Problem = err.Error()
			log.Error("instances were not let go", "restore", a.Restore, "error", err)
		}
		select {
		case l.retired <- e:
		case <-l.ctx.Done():
		}
	})
}
