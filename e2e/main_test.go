// Package e2e shows Greenlight's promises from the outside: real Envoys, a real
// Consul, real model servers, a real server process, and what clients saw.
package e2e

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"greenlight/cmd/greenlight/cli"
	"greenlight/cmd/greenlight/demo"
	"greenlight/cmd/greenlight/serve"
	"greenlight/reconcile"
	"greenlight/rollout"
)

// The test binary is also the greenlight program, so that the server under test
// has the race detector in it and can be killed at a chosen journal write.
const (
	roleVariable  = "GREENLIGHT_E2E_ROLE"  // "greenlight": be the program
	crashVariable = "GREENLIGHT_E2E_CRASH" // "before:N" or "after:N": kill -9 at the Nth journal write
)

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) == "greenlight" {
		os.Exit(beGreenlight())
	}
	os.Exit(m.Run())
}

func beGreenlight() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cli.Execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, serve.CommandWith(serve.Options{Journal: crashing()}), demo.Command())
}

// crashing wraps the journal so that the process ends as by kill -9 right
// before or right after the write that crashVariable names.
func crashing() func(reconcile.Journal) reconcile.Journal {
	side, number, found := strings.Cut(os.Getenv(crashVariable), ":")
	if !found {
		return nil
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", crashVariable, err)
		os.Exit(2)
	}
	return func(j reconcile.Journal) reconcile.Journal {
		return &crashJournal{Journal: j, before: side == "before", at: int64(n)}
	}
}

type crashJournal struct {
	reconcile.Journal
	before bool
	at     int64
	writes atomic.Int64
}

func (j *crashJournal) Commit(s rollout.State) error {
	last := j.writes.Add(1) == j.at
	if last && j.before {
		die()
	}
	err := j.Journal.Commit(s)
	if last {
		die()
	}
	return err
}

// die ends the process at once; no deferred call, no flush.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
