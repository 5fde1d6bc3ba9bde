package retire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hashicorp/consul/api"

	"greenlight/policy"
)

// agentWait bounds the wait for one agent: those that are dead must not use up the
// time of the others.
const agentWait = 5 * time.Second

// agents are the Consul agents on the instances' nodes. They are asked at addresses
// that whoever writes policies and registers nodes has a say in. So they are given the
// policy's own token or none, never what the server asks its registry with.
type agents struct {
	how    policy.ConsulRetire
	token  string
	client *http.Client
}

func (r *Retirer) newAgents(how policy.ConsulRetire) (*agents, error) {
	a := &agents{how: how}
	if how.Token != nil {
		token, err := r.o.Secret(*how.Token)
		if err != nil {
			return nil, fmt.Errorf("read retire.consul.token: %w", err)
		}
		a.token = token
	}
	conf := api.DefaultNonPooledConfig() // CONSUL_CACERT and the like
	conf.Transport.Proxy = nil
	client, err := api.NewHttpClient(conf.Transport, conf.TLSConfig)
	if err != nil {
		return nil, fmt.Errorf("prepare TLS for Consul's agents: %w", err)
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	a.client = client
	return a, nil
}

func (a *agents) close() { a.client.CloseIdleConnections() }

// maintain has the agent on the instance's node switch its maintenance mode. An agent
// leaves what is so already as it is.
func (a *agents) maintain(ctx context.Context, e *api.ServiceEntry, on bool, reason string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, agentWait, fmt.Errorf("no answer for %s", agentWait))
	defer cancel()
	query := url.Values{"enable": {strconv.FormatBool(on)}}
	if on {
		query.Set("reason", reason)
	}
	at := url.URL{Scheme: a.how.Scheme, Host: net.JoinHostPort(e.Node.Address, strconv.Itoa(a.how.Port))}
	if err := a.put(ctx, at, e.Service.ID, query); err != nil {
		return fmt.Errorf("the agent of node %s at %s: %w", e.Node.Node, &at, err)
	}
	return nil
}

func (a *agents) put(ctx context.Context, at url.URL, id string, query url.Values) error {
	at.Path, at.RawQuery = "/v1/agent/service/maintenance/"+id, query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, at.String(), nil)
	if err != nil {
		return err
	}
	if a.token != "" {
		req.Header.Set("X-Consul-Token", a.token)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return fmt.Errorf("%w; retire.consul.port and scheme say where agents listen", err)
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	said = bytes.TrimSpace(said)
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusForbidden:
		return fmt.Errorf("%s: %q; retire.consul.token needs service:write", resp.Status, said)
	case http.StatusNotFound:
		return fmt.Errorf("%s: %q; it is another node's agent, or the instance has just gone", resp.Status, said)
	default:
		return fmt.Errorf("%s: %q", resp.Status, said)
	}
}
