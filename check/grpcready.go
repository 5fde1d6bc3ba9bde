package check

import (
	"context"
	"fmt"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"greenlight/check/predict"
	"greenlight/policy"
	"greenlight/rollout"
)

// askGRPCReady asks grpc.health.v1.Health/Check over plain-text HTTP/2. got is
// empty when the endpoint is serving.
func (r *Runner) askGRPCReady(ctx context.Context, job rollout.CheckJob, e rollout.Endpoint, c policy.Check) (expected, got string) {
	expected = fmt.Sprintf("SERVING from grpc.health.v1.Health/Check of service %q", c.Ready.Service)
	conn, err := predict.NewGRPC(hostPort(e), "", r.opts.ConnectTimeout, maxReadyBody)
	if err != nil {
		return expected, fmt.Sprintf("make gRPC client: %v", err)
	}
	defer func() { _ = conn.Close() }()

	ctx, cancel := predict.Bound(ctx, hostPort(e), job.RequestTimeout)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, predict.CheckHeader, c.Name)
	answer, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{Service: c.Ready.Service})
	switch {
	case err != nil && isSilence(predict.Silence(ctx, err)):
		return expected, predict.Silence(ctx, err).Error()
	case err != nil:
		s := status.Convert(err)
		return expected, fmt.Sprintf("%s: %s", s.Code(), s.Message())
	case answer.GetStatus() != healthv1.HealthCheckResponse_SERVING:
		return expected, answer.GetStatus().String()
	default:
		return expected, ""
	}
}
