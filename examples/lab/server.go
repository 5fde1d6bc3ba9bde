package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"greenlight/api/adminv1"
)

// ServerOptions describe one Greenlight server.
type ServerOptions struct {
	Bin string // the greenlight program
	Env []string
	// Args come before the flags that the lab adds ("serve" is the first of them).
	Args     []string
	Dir      string // the journal, the log and the addresses go here
	Policies string // empty: Env says where policies are
	Registry string // as --registry takes it
}

// Server is a Greenlight server in a process of its own. After a Kill it can be
// started again: it keeps its journal and its addresses.
type Server struct {
	Options ServerOptions
	Proc    *Proc
	XDS     string // host:port
	Admin   string
	HTTP    string
	Client  adminv1.AdminServiceClient

	conn *grpc.ClientConn
}

// StartServer starts a server on free ports and waits until it listens.
func StartServer(ctx context.Context, opts ServerOptions) (*Server, error) {
	s := &Server{Options: opts, XDS: "127.0.0.1:0", Admin: "127.0.0.1:0", HTTP: "127.0.0.1:0"}
	return s, s.Start(ctx)
}

// Start starts the server again after Kill or Stop.
func (s *Server) Start(ctx context.Context) error {
	file := filepath.Join(s.Options.Dir, "addresses.json")
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("start server: %w", err)
	}
	args := append(append([]string(nil), s.Options.Args...), "serve", "--registry", s.Options.Registry,
		"--data", filepath.Join(s.Options.Dir, "data"), "--addresses", file,
		"--xds", s.XDS, "--admin", s.Admin, "--http", s.HTTP, "--log-format", "text")
	if s.Options.Policies != "" {
		args = append(args, "--policies", s.Options.Policies)
	}
	proc, err := StartProc("greenlight", s.Options.Dir, s.Options.Bin, s.Options.Env, args...)
	if err != nil {
		return err
	}
	s.Proc = proc
	err = Await(ctx, proc, "the server to listen", func() bool {
		data, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(data, &struct{ XDS, Admin, HTTP *string }{&s.XDS, &s.Admin, &s.HTTP}) == nil
	})
	if err != nil {
		proc.Stop()
		return err
	}
	return s.connect()
}

func (s *Server) connect() error {
	if s.conn != nil {
		return nil // the address is the same; gRPC connects again by itself
	}
	conn, err := grpc.NewClient(s.Admin, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to the admin API: %w", err)
	}
	s.conn, s.Client = conn, adminv1.NewAdminServiceClient(conn)
	return nil
}

// Kill ends the server as kill -9 does.
func (s *Server) Kill() { s.Proc.Kill() }

// Stop ends the server and the client's connection.
func (s *Server) Stop() {
	s.Proc.Stop()
	if s.conn != nil {
		s.conn.Close()
		s.conn, s.Client = nil, nil
	}
}

// AwaitModel waits until the model exists and its status meets the condition,
// and gives that status.
func (s *Server) AwaitModel(ctx context.Context, model, what string, condition func(*adminv1.ModelStatus) bool) (*adminv1.ModelStatus, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for {
		last, err := s.watchModel(ctx, model, condition)
		switch {
		case err == nil:
			return last, nil
		case status.Code(err) != codes.NotFound:
			return last, fmt.Errorf("wait for %s: %w; last seen: %v", what, err, last)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return last, fmt.Errorf("wait for %s: %w", what, err)
		}
	}
}

// watchModel follows the model until the condition holds or the stream ends.
func (s *Server) watchModel(ctx context.Context, model string, condition func(*adminv1.ModelStatus) bool) (last *adminv1.ModelStatus, err error) {
	stream, err := s.Client.Watch(ctx, &adminv1.WatchRequest{Model: model}, grpc.WaitForReady(true))
	if err != nil {
		return nil, err
	}
	for {
		change, err := stream.Recv()
		if err != nil {
			return last, err
		}
		if change.GetModel() == nil {
			continue
		}
		if last = change.GetModel(); condition(last) {
			return last, nil
		}
	}
}
