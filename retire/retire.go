// Package retire has instances decommissioned, or brought back, in the way that
// a policy names.
package retire

import (
	"context"
	"net/http"

	"github.com/hashicorp/consul/api"

	"greenlight/policy"
	"greenlight/rollout"
)

// Options are what a Retirer works with.
type Options struct {
	// Secret reads a secret that a policy names.
	Secret func(policy.Secret) (string, error)
	// Sign puts a signature of body by secret on a request.
	Sign func(r *http.Request, body []byte, secret string)
	// Consul is the registry's client and its ACL token of now, and ConsulDatacenter the
	// one that is asked when a policy names none.
	Consul           func() (*api.Client, string, error)
	ConsulDatacenter string
}

// Retirer lets instances go.
type Retirer struct {
	o      Options
	client *http.Client
}

// New makes a Retirer. Its client follows no redirect: a note that became a GET says
// nothing, and who answers that has let nothing go.
func New(o Options) *Retirer {
	last := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Retirer{o: o, client: &http.Client{CheckRedirect: last}}
}

// LetGo does what a asks, and returns when that is done or ctx is. It may be asked
// the same again after it succeeded: that changes nothing. A policy that names no
// way leaves it to people to do it.
func (r *Retirer) LetGo(ctx context.Context, model string, a rollout.LetGo) error {
	switch {
	case a.How.Webhook != "":
		return r.tell(ctx, model, a)
	case a.How.Consul != nil:
		return r.maintain(ctx, model, a)
	case a.How.Nomad != nil:
		return r.scale(ctx, model, a)
	default:
		return nil
	}
}
