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

// nomadEvery is the pause between two looks at how many instances still run.
const nomadEvery = time.Second

// scale takes the color's job to the number of instances that stay, and waits until
// no more run. Which ones are stopped is Nomad's choice, so only a whole color is let
// go in this way. A job that has no more already is left alone: it is never scaled up.
func (r *Retirer) scale(ctx context.Context, model string, a rollout.LetGo) error {
	how := a.How.Nomad
	conf := &api.Config{Address: how.Address, Namespace: how.Namespace, Region: how.Region}
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
	s := scaler{client: client, job: how.Jobs[a.Color], group: how.Group, ctx: ctx}
	now, err := s.look()
	if err != nil {
		return err
	}
	if now.Desired > a.Left {
		message := fmt.Sprintf("Greenlight: switch %s of %s let %s go", a.SwitchID, model, a.Color)
		meta := map[string]any{"greenlight.switch": a.SwitchID, "greenlight.model": model}
		if _, _, err := client.Jobs().Scale(s.job, s.group, &a.Left, message, false, meta, (&api.WriteOptions{}).WithContext(ctx)); err != nil {
			return s.failed("scale", err)
		}
	}
	return s.await(a.Left)
}

// scaler is one task group of one job.
type scaler struct {
	client     *api.Client
	job, group string
	ctx        context.Context
}

func (s scaler) look() (api.TaskGroupScaleStatus, error) {
	status, _, err := s.client.Jobs().ScaleStatus(s.job, (&api.QueryOptions{}).WithContext(s.ctx))
	if err != nil {
		return api.TaskGroupScaleStatus{}, s.failed("look at", err)
	}
	group, ok := status.TaskGroups[s.group]
	if !ok {
		return group, fmt.Errorf("nomad job %s has no group %q; it has %s: correct retire.nomad.group", s.job, s.group,
			strings.Join(slices.Sorted(maps.Keys(status.TaskGroups)), ", "))
	}
	return group, nil
}

// running counts the group's instances that have not ended. The scale status does
// not tell: it leaves out those that were told to stop, at once.
func (s scaler) running() (int, error) {
	allocations, _, err := s.client.Jobs().Allocations(s.job, false, (&api.QueryOptions{}).WithContext(s.ctx))
	if err != nil {
		return 0, s.failed("look at", err)
	}
	n := 0
	for _, a := range allocations {
		if a.TaskGroup == s.group && (a.ClientStatus == api.AllocClientStatusRunning || a.ClientStatus == api.AllocClientStatusPending) {
			n++
		}
	}
	return n, nil
}

// await waits until no more than so many run. When that takes longer than there is
// time for, it says how many still do: the same is asked again later.
func (s scaler) await(left int) error {
	tick := time.NewTicker(nomadEvery)
	defer tick.Stop()
	last := -1
	for {
		now, err := s.running()
		switch {
		case err != nil && last >= 0 && s.ctx.Err() != nil:
			return fmt.Errorf("nomad job %s: %d instances still run, %d should", s.job, last, left)
		case err != nil:
			return err
		case now <= left:
			return nil
		}
		last = now
		select {
		case <-s.ctx.Done():
			return fmt.Errorf("nomad job %s: %d instances still run, %d should", s.job, last, left)
		case <-tick.C:
		}
	}
}

// failed words an answer of Nomad by what it takes.
func (s scaler) failed(what string, err error) error {
	var unexpected api.UnexpectedResponseError
	if errors.As(err, &unexpected) {
		switch unexpected.StatusCode() {
		case 403:
			return fmt.Errorf("%s nomad job %s: permission denied; retire.nomad.token needs scale-job, read-job-scaling and read-job", what, s.job)
		case 404:
			return fmt.Errorf("%s nomad job %s: no such job; correct retire.nomad.jobs, namespace or region", what, s.job)
		}
	}
	return fmt.Errorf("%s nomad job %s: %w", what, s.job, firstLine(err))
}
