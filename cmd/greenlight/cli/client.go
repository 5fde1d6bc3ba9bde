package cli

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/user"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"greenlight/api/adminv1"
)

// maxAnswer is the largest answer that is taken: the status of thousands of
// models with their policies is more than gRPC's 4 MB.
const maxAnswer = 256 << 20

// dial makes a client; it connects with the first question.
func (a *app) dial() (adminv1.AdminServiceClient, func(), error) {
	if a.timeout <= 0 {
		return nil, nil, &codedError{code: CodeUsage, err: fmt.Errorf("--timeout is %s; must be more than 0s", a.timeout)}
	}
	if err := checkServer(a.server); err != nil {
		return nil, nil, err
	}
	conn, err := grpc.NewClient(a.server,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUserAgent("greenlight-cli"),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)))
	if err != nil {
		return nil, nil, &codedError{code: CodeUsage, err: fmt.Errorf("read --server %q: %w", a.server, err)}
	}
	return adminv1.NewAdminServiceClient(conn), func() { _ = conn.Close() }, nil
}

// checkServer refuses what gRPC would take for a name with port 443.
func checkServer(addr string) error {
	if strings.HasPrefix(addr, "unix:") {
		return nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err == nil && host != "" && port != "" {
		return nil
	}
	return &codedError{
		code: CodeUsage,
		err:  fmt.Errorf("server address %q is not HOST:PORT", addr),
		hint: "the default is " + DefaultServer + "; --server and GREENLIGHT_SERVER change it",
	}
}

// ask puts one question to the server, and bounds the wait for the answer.
func ask[Q, A any](ctx context.Context, a *app, q Q,
	method func(adminv1.AdminServiceClient, context.Context, Q, ...grpc.CallOption) (A, error),
) (A, error) {
	var none A
	client, hangUp, err := a.dial()
	if err != nil {
		return none, err
	}
	defer hangUp()
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	answer, err := method(client, ctx, q)
	if err != nil {
		return none, a.explain(err)
	}
	return answer, nil
}

// whoami names the person at the keyboard for the history.
func whoami() string {
	if actor := os.Getenv("GREENLIGHT_ACTOR"); actor != "" {
		return actor
	}
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		return name
	}
	return name + "@" + host
}
