package modelserver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// Mode is a way to misbehave.
type Mode string

// The modes. All but Unready concern inference (over gRPC: every call).
const (
	None    Mode = "none"
	Errors  Mode = "errors"  // HTTP 500, gRPC INTERNAL
	Slow    Mode = "slow"    // the right answer after Fault.Delay
	Wrong   Mode = "wrong"   // status 200, probability and label turned round
	Hang    Mode = "hang"    // no answer until the client or the server gives up
	Refuse  Mode = "refuse"  // HTTP 422, gRPC INVALID_ARGUMENT: as if the client were wrong
	Cut     Mode = "cut"     // HTTP: status 200 and half of the body; gRPC: UNAVAILABLE
	Unready Mode = "unready" // inference works, readiness says no
)

// defaultSlow is the delay of Slow when none is given.
const defaultSlow = time.Second

// Fault is how a server misbehaves.
type Fault struct {
	Mode Mode
	// Rate is the share of requests that meet the fault, 0 to 1; 0 means all.
	Rate float64
	// Users limits the fault to requests whose UserHeader has one of these
	// values; empty means everybody. Rate then is a share of their requests.
	Users []string
	// Delay is for Slow; default 1s.
	Delay time.Duration
}

// Fail makes the server misbehave from the next request on; Fault{Mode: None}
// heals it.
func (s *Server) Fail(f Fault) error {
	switch f.Mode {
	case None, Errors, Slow, Wrong, Hang, Refuse, Cut, Unready:
	default:
		return fmt.Errorf("mode %q is none of none, errors, slow, wrong, hang, refuse, cut, unready", f.Mode)
	}
	if !(f.Rate >= 0 && f.Rate <= 1) || f.Delay < 0 {
		return fmt.Errorf("rate = %v, delay = %v; rate must be 0 to 1 and delay not negative", f.Rate, f.Delay)
	}
	if f.Rate == 0 {
		f.Rate = 1
	}
	if f.Delay == 0 {
		f.Delay = defaultSlow
	}
	s.fault.Store(&f)
	if s.health != nil {
		s.health.SetServingStatus("", s.servingStatus())
		s.health.SetServingStatus(s.opts.Name, s.servingStatus())
	}
	return nil
}

func (s *Server) servingStatus() healthv1.HealthCheckResponse_ServingStatus {
	if s.ready() {
		return healthv1.HealthCheckResponse_SERVING
	}
	return healthv1.HealthCheckResponse_NOT_SERVING
}

func (s *Server) ready() bool { return s.fault.Load().Mode != Unready }

// meet draws whether a request meets the fault, and sits through its delay. The
// answer is the mode that is left for the caller to act on.
func (s *Server) meet(ctx context.Context, user string) Mode {
	s.wait(ctx, s.opts.Delay)
	f := s.fault.Load()
	if len(f.Users) > 0 && !slices.Contains(f.Users, user) || rand.Float64() >= f.Rate {
		return None
	}
	switch f.Mode {
	case Slow:
		s.wait(ctx, f.Delay)
	case Hang:
		select {
		case <-ctx.Done():
		case <-s.stopping:
		}
	}
	return f.Mode
}

func (s *Server) wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.stopping:
	}
}
