package retire

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"

	"greenlight/rollout"
)

// nomadEvery is the pause between two looks at how many instances run.
const nomadEvery = time.Second

// scale takes the color's job to the number of instances that stay, or that should be
// back, and waits until so many run. Which ones are stopped is Nomad's choice, so only
// a whole color is let go in this way. Nothing is scaled up to let go, nor down to
// bring back.
func (r *Retirer) scale(ctx context.Context, model string, a rollout.LetGo) error {
	how := a.How.Nomad
	conf := &api.Config{Address: how.Address, Namespace: how.Namespace, Region: how.Region, TLSConfig: api.DefaultConfig().TLSConfig}
	if how.Token != nil {
		token, err := r.o.Secret(*how.Token)
		if err != nil {
			return fmt.Errorf("read retire.nomad.token: %w", err)
		}
		conf.SecretID = token
	}
	client, err := api.NewClient(conf)
	if err != nil {
		return fmt.Errorf("make a client of Nomad at %s: %w", how.Address, err)
	}
	defer client.Close()
	s := scaler{client: client, job: how.Jobs[a.Color], group: how.Group, ctx: ctx, want: a.Left, back: a.Restore}
	message := fmt.Sprintf("Greenlight: switch %s of %s let %s go", a.SwitchID, model, a.Color)
	if a.Restore {
		s.want += len(a.Instances)
		message = fmt.Sprintf("Greenlight: switch %s of %s wants %s back", a.SwitchID, model, a.Color)
	}
	meta := map[string]any{"greenlight.switch": a.SwitchID, "greenlight.model": model, "greenlight.key": a.Key}
	if err := s.order(message, meta); err != nil {
		return err
	}
	return s.await()
}

// scaler is one task group of one job.
type scaler struct {
	client     *api.Client
	job, group string
	ctx        context.Context
	want       int
	back       bool // instances are wanted back: at least so many, not at most
}

// enough reports whether n instances are as was asked.
func (s scaler) enough(n int) bool {
	if s.back {
		return n >= s.want
	}
	return n <= s.want
}

// order tells Nomad how many there should be, unless that is so already.
func (s scaler) order(message string, meta map[string]any) error {
	status, _, err := s.client.Jobs().ScaleStatus(s.job, (&api.QueryOptions{}).WithContext(s.ctx))
	if err != nil {
		return s.failed("look at", err)
	}
	group, ok := status.TaskGroups[s.group]
	switch {
	case !ok:
		return fmt.Errorf("nomad job %s has no group %q; it has %s: correct retire.nomad.group", s.job, s.group,
			strings.Join(slices.Sorted(maps.Keys(status.TaskGroups)), ", "))
	case status.JobStopped && s.back:
		return fmt.Errorf("nomad job %s is stopped, and a stopped job runs nothing however it is scaled; start it again", s.job)
	case status.JobStopped || s.enough(group.Desired):
		return nil
	}
	if _, _, err := s.client.Jobs().Scale(s.job, s.group, &s.want, message, false, meta, (&api.WriteOptions{}).WithContext(s.ctx)); err != nil {
		return s.failed("scale", err)
	}
	return nil
}

// running counts the group's instances that have not ended or, when they are wanted
// back, those that have begun. The scale status does not tell: it leaves out those that
// were told to stop, at once.
func (s scaler) running() (int, error) {
	allocations, _, err := s.client.Jobs().Allocations(s.job, false, (&api.QueryOptions{}).WithContext(s.ctx))
	if err != nil {
		return 0, s.failed("look at", err)
	}
	n := 0
	for _, a := range allocations {
		stays := a.DesiredStatus == api.AllocDesiredStatusRun
		switch {
		case a.TaskGroup != s.group:
		case a.ClientStatus == api.AllocClientStatusRunning && (stays || !s.back),
			a.ClientStatus == api.AllocClientStatusPending && !s.back:
			n++
		}
	}
	return n, nil
}

// await waits until as many run as should. When that takes longer than there is time
// for, it says how many do: the same is asked again later.
func (s scaler) await() error {
	tick := time.NewTicker(nomadEvery)
	defer tick.Stop()
	last := -1
	for {
		now, err := s.running()
		switch {
		case err != nil && last >= 0 && s.ctx.Err() != nil:
			return s.late(last)
		case err != nil:
			return err
		case s.enough(now):
			return nil
		}
		last = now
		select {
		case <-s.ctx.Done():
			return s.late(last)
		case <-tick.C:
		}
	}
}

func (s scaler) late(now int) error {
	if s.back {
		return fmt.Errorf("nomad job %s: %d of %d instances run", s.job, now, s.want)
	}
	return fmt.Errorf("nomad job %s: %d instances still run, %d should", s.job, now, s.want)
}

// failed words an answer of Nomad by what it takes.
func (s scaler) failed(what string, err error) error {
	if unexpected, ok := errors.AsType[api.UnexpectedResponseError](err); ok {
		switch unexpected.StatusCode() {
		case 403:
			return fmt.Errorf("%s nomad job %s: permission denied; retire.nomad.token needs scale-job and read-job", what, s.job)
		case 404:
			return fmt.Errorf("%s nomad job %s: no such job; correct retire.nomad.jobs, namespace or region", what, s.job)
		}
	}
	return fmt.Errorf("%s nomad job %s: %w", what, s.job, firstLine(err))
}
