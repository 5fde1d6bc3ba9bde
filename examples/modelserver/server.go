// Package modelserver serves the example model over the Open Inference Protocol
// (KServe V2) on HTTP, and over gRPC health, for demos and tests. It computes
// real answers, says which version and color gave them, and misbehaves on request.
package modelserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"

	"greenlight/examples/models"
)

// Every answer, over HTTP and over gRPC, says in these headers who gave it.
const (
	VersionHeader = "x-model-version"
	ColorHeader   = "x-model-color"
)

// UserHeader of a request says whose it is, for Fault.Users.
const UserHeader = "x-user"

// stopWithin bounds how long Close waits for requests in flight.
const stopWithin = 5 * time.Second

// Options say what a Server serves and where.
type Options struct {
	Name string // the model's name in paths; default models.Name
	// Version is the embedded version to serve, or, with ModelFile, what to call
	// the file's model; default models.Good, or the version that the file names.
	Version string
	// ModelFile is a version as train.py writes it, instead of an embedded one.
	ModelFile string
	Color     string // told in ColorHeader; any text
	Addr      string // HTTP/1 and h2c; default 127.0.0.1:0
	GRPCAddr  string // empty: no gRPC
	// Delay is added to every inference.
	Delay time.Duration
}

// Server is a running model server.
type Server struct {
	opts  Options
	model *models.Model
	fault atomic.Pointer[Fault]

	httpListener, grpcListener net.Listener // grpcListener is nil without gRPC
	http                       *http.Server
	grpc                       *grpc.Server
	health                     *health.Server

	// stopping is closed when Close begins, so that requests that hang on
	// purpose do not hold it up.
	stopping chan struct{}
	close    func() error
	served   sync.WaitGroup
	detach   func() bool
}

// Start loads the model, listens and serves until ctx is done or Close is called.
func Start(ctx context.Context, o Options) (*Server, error) {
	model, err := load(&o)
	if err != nil {
		return nil, err
	}
	s := &Server{opts: o, model: model, stopping: make(chan struct{})}
	s.fault.Store(&Fault{Mode: None})
	s.close = sync.OnceValue(s.stop)
	if err := s.listen(); err != nil {
		return nil, err
	}
	s.serve()
	s.detach = context.AfterFunc(ctx, func() { _ = s.close() })
	return s, nil
}

// load completes o and finds the model that it names.
func load(o *Options) (*models.Model, error) {
	o.Name = cmp.Or(o.Name, models.Name)
	o.Addr = cmp.Or(o.Addr, "127.0.0.1:0")
	if o.ModelFile == "" {
		o.Version = cmp.Or(o.Version, models.Good)
		return models.Load(o.Version)
	}
	b, err := os.ReadFile(o.ModelFile)
	if err != nil {
		return nil, fmt.Errorf("read model file: %w", err)
	}
	m, err := models.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.ModelFile, err)
	}
	o.Version = cmp.Or(o.Version, m.Version)
	return m, nil
}

func (s *Server) listen() error {
	var err error
	if s.httpListener, err = net.Listen("tcp", s.opts.Addr); err != nil {
		return fmt.Errorf("listen for HTTP: %w", err)
	}
	if s.opts.GRPCAddr == "" {
		return nil
	}
	if s.grpcListener, err = net.Listen("tcp", s.opts.GRPCAddr); err != nil {
		return errors.Join(fmt.Errorf("listen for gRPC: %w", err), s.httpListener.Close())
	}
	return nil
}

func (s *Server) serve() {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	s.http = &http.Server{Handler: s.handler(), Protocols: protocols, ReadHeaderTimeout: 10 * time.Second}
	s.served.Go(func() { _ = s.http.Serve(s.httpListener) })

	if s.grpcListener != nil {
		s.newGRPC()
		s.served.Go(func() { _ = s.grpc.Serve(s.grpcListener) })
	}
}

// Addr is the address that HTTP is served on.
func (s *Server) Addr() string { return s.httpListener.Addr().String() }

// GRPCAddr is the address that gRPC is served on; empty without gRPC.
func (s *Server) GRPCAddr() string {
	if s.grpcListener == nil {
		return ""
	}
	return s.grpcListener.Addr().String()
}

// Close finishes the requests in flight, at most for some seconds, and stops.
// It may be called more than once.
func (s *Server) Close() error {
	s.detach()
	return s.close()
}

func (s *Server) stop() error {
	close(s.stopping)
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()

	if s.grpc != nil {
		s.health.Shutdown() // who watches learns that it is going
		force := context.AfterFunc(ctx, s.grpc.Stop)
		s.served.Go(func() { defer force(); s.grpc.GracefulStop() })
	}
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("stop HTTP: %w", err), s.http.Close())
	}
	s.served.Wait()
	return err
}
