// Package api serves the admin API: it turns gRPC requests into commands for
// the models, and their answers and refusals into messages and status codes.
// It decides nothing.
package api

import (
	"context"
	"log/slog"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/record"
)

// Models is where the models' loops are.
type Models interface {
	// Do hands a command to a model and returns its status after the command
	// was journaled. A Start without ID is given one. A Start with an idempotency
	// key that was used before with the same arguments changes nothing and
	// returns the present status with the switch that was started then. Errors:
	// *rollout.RefusedError, rollout.ErrNoModel, rollout.ErrKeyReused, ctx's; any
	// other means that the command could not be carried out now.
	Do(ctx context.Context, model string, c rollout.Command) (rollout.Status, error)
	// Statuses is every model's present status, in any order.
	Statuses() []rollout.Status
	// Watch calls emit with every model's present status, and then with each new
	// one, until ctx is done; a model that is gone a last time, without Policy.
	// emit returns at once.
	Watch(ctx context.Context, emit func(rollout.Status)) error
}

// History is where past switches are read.
type History interface {
	// Switches is the newest limit switches of a model (of all models if model
	// is empty) that are older than the switch with id before (if not empty),
	// newest first.
	Switches(model string, limit int, before string) ([]rollout.Switch, error)
	// Switch is the switch with the id; nil if there is none.
	Switch(id string) (*rollout.Switch, error)
	// Report is everything that was measured for the switch with the id so far;
	// nil if there is none.
	Report(id string) (*rollout.Assessment, error)
	// Recording is what the switch with the id heard; nil if nothing is kept of it.
	Recording(id string) (*record.Recording, error)
}

// Fleets is where the nodes' ACKs are read.
type Fleets interface {
	// Fleets is every fleet that a model names or a node is connected for.
	Fleets() []rollout.FleetView
}

// Options is what a Server needs; all fields are required but Groups, Origin and Log.
type Options struct {
	Models  Models
	History History
	Fleets  Fleets
	Checks  Checks
	// Groups is the groups that a person belongs to, for approvals; nil: nobody belongs
	// to any.
	Groups func(person string) ([]string, error)
	// Origin is where the policies in force come from; nil: not known.
	Origin func() policy.Origin
	// HTML makes the page that shows a report.
	HTML func(rollout.Assessment) ([]byte, error)
	// Policies is what the policy files say now.
	Policies func() Filed
	Log      *slog.Logger
}

// Server is the AdminService.
type Server struct {
	adminv1.UnimplementedAdminServiceServer

	models   Models
	history  History
	fleets   Fleets
	checks   Checks
	groups   func(person string) ([]string, error)
	origin   func() policy.Origin
	html     func(rollout.Assessment) ([]byte, error)
	policies func() Filed
	log      *slog.Logger
	health   *health.Server

	closing context.Context // done when Shutdown was called
	close   context.CancelFunc
	once    sync.Once
}

// New makes a Server; Register puts it on a gRPC server.
func New(o Options) *Server {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	origin := o.Origin
	if origin == nil {
		origin = func() policy.Origin { return policy.Origin{} }
	}
	groups := o.Groups
	if groups == nil {
		groups = func(string) ([]string, error) { return nil, nil }
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Server{
		models: o.Models, history: o.History, fleets: o.Fleets,
		checks: o.Checks, groups: groups, origin: origin, html: o.HTML, policies: o.Policies, log: log,
		health: health.NewServer(), closing: ctx, close: cancel,
	}
}

// Register adds AdminService, gRPC health and reflection to g.
func (s *Server) Register(g *grpc.Server) {
	adminv1.RegisterAdminServiceServer(g, s)
	healthv1.RegisterHealthServer(g, s.health)
	s.health.SetServingStatus(adminv1.AdminService_ServiceDesc.ServiceName, healthv1.HealthCheckResponse_SERVING)
	reflection.Register(g)
}

// Shutdown says over gRPC health that the server is going away and ends every
// Watch, which would hold up grpc.Server.GracefulStop for ever, and every run of checks.
func (s *Server) Shutdown() {
	s.once.Do(func() {
		s.health.Shutdown()
		s.close()
	})
}
