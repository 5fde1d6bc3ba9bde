package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	consul "github.com/hashicorp/consul/api"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"greenlight/api"
	"greenlight/check"
	"greenlight/policy"
	"greenlight/policy/git"
	"greenlight/reconcile"
	"greenlight/registry"
	"greenlight/report"
	"greenlight/retire"
	"greenlight/store"
	"greenlight/telemetry"
	"greenlight/xds"
)

// Options are what a caller in this process may add to the configuration.
type Options struct {
	Log *slog.Logger
	// Journal, if not nil, stands between the loops and the store. Tests use it
	// to end the process between two writes.
	Journal func(reconcile.Journal) reconcile.Journal
	// Listening, if not nil, is told the addresses once all are listened on.
	Listening func(Addresses)
}

// Addresses are the addresses that a server really listens on.
type Addresses struct {
	XDS   string `json:"xds"`
	Admin string `json:"admin"`
	HTTP  string `json:"http"`
}

// server holds the parts between their making and their end.
type server struct {
	config Config
	log    *slog.Logger
	store  *store.Store
	xds    *xds.Server
	heard  *telemetry.Server
	group  *reconcile.Group
	// policies is where policies come from, and repository the same if that is one.
	policies   policySource
	repository *git.Source
	origin     *policyMetrics
	filed      filed
	// ready is closed when routing may be sent to the fleets.
	ready chan struct{}
	// kept says which policies are already on disk. Only keepPolicies touches it.
	kept map[string]any
	// troubles is what is kept of problems. Only keepTroubles touches it.
	troubles map[string]store.Trouble
}

// Run serves until ctx is done or a part fails. config must have been checked.
func Run(ctx context.Context, config Config, opts Options) (err error) {
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(config.Data, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	journal, err := store.Open(filepath.Join(config.Data, "journal.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()

	s := &server{config: config, log: log, store: journal, ready: make(chan struct{}), kept: map[string]any{}}
	if err := s.build(opts); err != nil {
		return err
	}
	prev, err := s.lastGood()
	if err != nil {
		return err
	}
	return s.run(ctx, opts, prev)
}

// build makes the parts and joins them; nothing runs yet.
func (s *server) build(opts Options) error {
	source, err := s.registry()
	if err != nil {
		return err
	}
	hosts, err := check.ParseHosts(string(s.config.CheckHosts))
	if err != nil {
		return fmt.Errorf("check-hosts: %w", err)
	}
	states, err := s.store.States()
	if err != nil {
		return err
	}
	lastEndpoints, err := s.store.Endpoints()
	if err != nil {
		return err
	}
	taken, err := s.store.TakenPolicies()
	if err != nil {
		return err
	}
	checker := check.New(check.Options{Log: s.log, Hosts: hosts, Secrets: s.config.CheckSecrets})
	s.xds, err = xds.New(xds.Options{
		Log: s.log, Lease: s.config.Lease, ReconnectGrace: s.config.ReconnectGrace, Nodes: s.store,
		Changed: func(model string) { s.group.FleetChanged(model) }, Secret: checker.Secret,
	})
	if err != nil {
		return err
	}
	s.heard = telemetry.New(telemetry.Options{Log: s.log, Changed: func(model string) { s.group.TrafficChanged(model) }})
	var journal reconcile.Journal = s.store
	if opts.Journal != nil {
		journal = opts.Journal(journal)
	}
	s.group = reconcile.New(reconcile.Options{
		Fleet: s.xds, Journal: journal, Checker: checker, Registry: source, Traffic: s.heard,
		Endpoints: s.store, Policies: s.store, Reports: s.store, Recordings: s.store, States: states, LastEndpoints: lastEndpoints, TakenPolicies: taken, Log: s.log,
		Retirer: retire.New(retire.Options{
			Secret: checker.Secret, Sign: check.SignRequest, Consul: s.consulOf(source), ConsulDatacenter: s.config.ConsulDatacenter,
		}),
		NewWithin: s.config.NewWithin,
		Ready: func() {
			s.xds.Open()
			close(s.ready)
			s.log.Info("ready: routing is served")
		},
	})
	s.policies, s.repository, err = s.policySource()
	s.origin = &policyMetrics{repository: s.repository}
	return err
}

func (s *server) registry() (reconcile.Registry, error) {
	if path, ok := strings.CutPrefix(s.config.Registry, "file:"); ok {
		file := registry.NewFile(path, s.log)
		file.Settle = s.config.RegistrySettle
		return file, nil
	}
	return s.newConsul()
}

// consulOf is how Consul is asked for other things than where instances are: as the
// registry asks, also where that is a file.
func (s *server) consulOf(source reconcile.Registry) func() (*consul.Client, string, error) {
	return func() (*consul.Client, string, error) {
		c, ok := source.(*registry.Consul)
		if !ok {
			var err error
			if c, err = s.newConsul(); err != nil {
				return nil, "", err
			}
		}
		return c.Client()
	}
}

func (s *server) newConsul() (*registry.Consul, error) {
	return registry.NewConsul(registry.Options{
		TokenFile: s.config.ConsulTokenFile, Datacenter: s.config.ConsulDatacenter,
		Stale: s.config.ConsulStale, Settle: s.config.RegistrySettle, Log: s.log,
	})
}

// run starts everything and waits for the end of all.
func (s *server) run(ctx context.Context, opts Options, prev policy.Set) error {
	xdsServer := grpc.NewServer(xds.ServerOptions()...)
	s.xds.Register(xdsServer)
	s.heard.Register(xdsServer)
	adminServer := grpc.NewServer()
	api.New(api.Options{
		Models: s.group, History: s.store, Fleets: s.xds, Checks: s.group, HTML: report.HTML, Policies: s.whatIsFiled, Log: s.log,
		Origin: s.origin.now,
		Groups: func(person string) ([]string, error) { return groupsOf(s.config.Groups, person) },
	}).Register(adminServer)
	httpServer := pages(s.group.Statuses, s.ready, s.group.Waiting, s.heard, s.origin)
	if file := s.config.PolicyGitHookSecretFile; file != "" {
		httpServer.Handler = withHooks(httpServer.Handler, s.repository.Hook(file))
	}

	listeners, err := listen(s.config)
	if err != nil {
		return err
	}
	addresses := Addresses{XDS: listeners[0].Addr().String(), Admin: listeners[1].Addr().String(), HTTP: listeners[2].Addr().String()}
	if err := s.announce(addresses, opts); err != nil {
		closeAll(listeners)
		return err
	}

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return xdsServer.Serve(listeners[0]) })
	g.Go(func() error { return adminServer.Serve(listeners[1]) })
	g.Go(func() error { return httpServer.Serve(listeners[2]) })
	g.Go(func() error { return s.xds.Run(ctx) })
	g.Go(func() error { return s.heard.Run(ctx) })
	g.Go(func() error { return s.group.Run(ctx) })
	g.Go(func() error { return s.policies.Watch(ctx, prev, s.takePolicies) })
	g.Go(func() error {
		<-ctx.Done()
		// Streams never end by themselves, so there is nothing to wait for.
		xdsServer.Stop()
		adminServer.Stop()
		return httpServer.Close()
	})
	err = g.Wait()
	if errors.Is(err, context.Canceled) || errors.Is(err, http.ErrServerClosed) || errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return err
}

// takePolicies hands a new set of policies to the fleets and the loops, and
// keeps what is good in it for a start with broken files.
func (s *server) takePolicies(set policy.Set) {
	fleets := map[string]*policy.Fleet{}
	for name, entry := range set.Fleets {
		if entry.Fleet != nil {
			fleets[name] = entry.Fleet
		}
	}
	s.origin.origin.Store(&set.Origin)
	s.keepPolicies(set)
	s.keepTroubles(set)
	s.filed.put(set)
	s.heard.SetModels(slices.Collect(maps.Keys(set.Models)))
	s.xds.SetFleets(fleets)
	s.group.SetPolicies(set)
}

// announce logs the addresses and writes them where the configuration asks.
func (s *server) announce(a Addresses, opts Options) error {
	s.log.Info("listening", "xds", a.XDS, "admin", a.Admin, "http", a.HTTP)
	if s.config.Addresses != "" {
		data, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("write addresses: %w", err)
		}
		next := s.config.Addresses + ".next"
		if err := os.WriteFile(next, data, 0o644); err != nil {
			return fmt.Errorf("write addresses: %w", err)
		}
		if err := os.Rename(next, s.config.Addresses); err != nil {
			return fmt.Errorf("write addresses: %w", err)
		}
	}
	if opts.Listening != nil {
		opts.Listening(a)
	}
	return nil
}

// listen opens the addresses of xds, admin and http, in this order, or none.
func listen(c Config) ([]net.Listener, error) {
	var out []net.Listener
	for _, a := range []struct{ flag, address string }{{"xds", c.XDS}, {"admin", c.Admin}, {"http", c.HTTP}} {
		l, err := (&net.ListenConfig{KeepAlive: 30 * time.Second}).Listen(context.Background(), "tcp", a.address)
		if err != nil {
			closeAll(out)
			var failed *net.OpError
			if errors.As(err, &failed) {
				err = failed.Err // it names the address, too
			}
			return nil, fmt.Errorf("listen on %s: %w; free it, or name another one with --%s", a.address, err, a.flag)
		}
		out = append(out, l)
	}
	return out, nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}
