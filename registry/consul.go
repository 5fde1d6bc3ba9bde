package registry

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"

	"greenlight/policy"
	"greenlight/rollout"
)

// DefaultWait is how long one blocking query may wait for a change; MaxWait is
// the longest. A shorter wait finds a connection that died silently sooner.
const (
	DefaultWait = time.Minute
	MaxWait     = 5 * time.Minute
)

// Options says how Consul is reached. What is left empty comes from the
// environment as for Consul's own clients (CONSUL_HTTP_ADDR, CONSUL_HTTP_TOKEN,
// CONSUL_HTTP_TOKEN_FILE, CONSUL_CACERT, …), and from their defaults.
type Options struct {
	Address string // "127.0.0.1:8500", "https://consul.internal", "unix:///run/consul.sock"
	Token   string
	// TokenFile is read again before every query, so a rotated token is used.
	TokenFile string
	// Datacenter is asked when a policy names none; empty means the agent's own.
	Datacenter string
	// Wait is one blocking query's longest wait. Default DefaultWait, at most MaxWait.
	Wait time.Duration
	// Stale lets any Consul server answer, even while there is no leader.
	Stale bool
	// Settle is how long a suspicious answer must stand. Default DefaultSettle.
	Settle time.Duration
	// Log defaults to slog.Default().
	Log *slog.Logger
}

// Consul watches services in Consul's catalog.
type Consul struct {
	source
	client    *api.Client
	transport *http.Transport // not used for unix sockets
	opts      Options
}

// NewConsul makes a Consul registry. It sends nothing before the first Watch.
func NewConsul(o Options) (*Consul, error) {
	if o.Wait < 0 || o.Wait > MaxWait {
		return nil, fmt.Errorf("consul wait = %s; must be 0 to %s", o.Wait, MaxWait)
	}
	if o.Token != "" && o.TokenFile != "" {
		return nil, fmt.Errorf("consul token and token file %s are both set; set one", o.TokenFile)
	}
	o = o.withDefaults()
	conf := api.DefaultConfig()
	if o.Address != "" {
		conf.Address = o.Address
	}
	// Every service holds one connection while its query waits; with the
	// default of a few, all others would be dialled anew after each change.
	conf.Transport.MaxIdleConns = maxConnections
	conf.Transport.MaxIdleConnsPerHost = maxConnections
	client, err := api.NewClient(conf)
	if err != nil {
		return nil, fmt.Errorf("make consul client: %w", err)
	}
	c := &Consul{client: client, transport: conf.Transport, opts: o}
	c.source = source{
		name: "consul", hub: newHub(c.feed), lookup: netLookup,
		settle: o.Settle, afterErrors: true, log: o.Log,
	}
	return c, nil
}

// Client is the client that the registry asks with, and the ACL token of now.
func (c *Consul) Client() (*api.Client, string, error) {
	token, err := c.token()
	return c.client, token, err
}

// maxConnections is how many idle connections to the agent are kept.
const maxConnections = 1024

func (o Options) withDefaults() Options {
	if o.Wait == 0 {
		o.Wait = DefaultWait
	}
	if o.Settle <= 0 {
		o.Settle = DefaultSettle
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Watch emits whole endpoint sets of a model until ctx is done: the first as
// soon as all of its services have been heard of, then one for each change.
// last is the last good set from disk, or nil. emit is never called
// concurrently; the sets belong to everybody and must not be changed.
func (c *Consul) Watch(ctx context.Context, model string, d policy.Discovery,
	last *rollout.EndpointSet, emit func(rollout.EndpointSet)) {
	datacenter := d.Datacenter
	if datacenter == "" {
		datacenter = c.opts.Datacenter
	}
	var keys []key
	for _, name := range serviceNames(d) {
		keys = append(keys, key{service: name, datacenter: datacenter})
	}
	c.watch(ctx, model, d, keys, last, emit)
}

// query asks once for all instances of a service, and waits for a change if
// index is not 0. It gives up some time after Consul should have answered: an
// agent that hangs is as bad as one that is gone.
func (c *Consul) query(ctx context.Context, k key, index uint64) ([]*api.ServiceEntry, uint64, error) {
	token, err := c.token()
	if err != nil {
		return nil, 0, err
	}
	var wait time.Duration
	if index > 0 {
		wait = jitter(c.opts.Wait)
	}
	// Consul itself adds up to a 16th to the wait.
	ctx, cancel := context.WithTimeoutCause(ctx, wait+wait/16+answerWithin,
		fmt.Errorf("no answer for %s", wait+wait/16+answerWithin))
	defer cancel()
	q := (&api.QueryOptions{
		Datacenter: k.datacenter, Token: token,
		AllowStale: c.opts.Stale, WaitIndex: index, WaitTime: wait,
	}).WithContext(ctx)
	entries, meta, err := c.client.Health().Service(k.service, "", false, q)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, 0, context.Cause(ctx)
	case err != nil:
		return nil, 0, brief(err)
	case meta.ResultsFilteredByACLs:
		// Instances that the token may not see are not instances that are gone.
		return nil, 0, fmt.Errorf("the token may not read all instances of service %q; "+
			"it needs service:read and node:read", k.service)
	}
	return entries, meta.LastIndex, nil
}

// answerWithin is the time that Consul has to answer, beside the wait for a change.
const answerWithin = 10 * time.Second

// token is what the queries carry; empty means what the environment says.
func (c *Consul) token() (string, error) {
	if c.opts.TokenFile == "" {
		return c.opts.Token, nil
	}
	text, err := os.ReadFile(c.opts.TokenFile)
	if err != nil {
		return "", fmt.Errorf("read token file: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// jitter takes up to a tenth off d, so that queries which began together part.
func jitter(d time.Duration) time.Duration {
	return d - rand.N(d/10+1)
}
