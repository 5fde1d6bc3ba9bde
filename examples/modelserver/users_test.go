package modelserver_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"greenlight/examples/modelserver"
)

func askAs(t *testing.T, s *modelserver.Server, user string) (int, error) {
	t.Helper()
	body, _ := case1(t)
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+s.Addr()+infer, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(modelserver.UserHeader, user)
	response, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

func TestOnlyTheNamedUsersMeetTheFault(t *testing.T) {
	s := start(t, modelserver.Options{})
	if code, answer := post(t, s, "/admin/fail", `{"mode":"refuse","users":["7"]}`); code != http.StatusOK {
		t.Fatalf("%d %s", code, answer)
	}
	for user, want := range map[string]int{"7": http.StatusUnprocessableEntity, "8": http.StatusOK, "": http.StatusOK} {
		if code, err := askAs(t, s, user); code != want || err != nil {
			t.Errorf("user %q got %d, %v; want %d", user, code, err, want)
		}
	}
}

func TestACutAnswerIsStatus200AndNotWhole(t *testing.T) {
	s := start(t, modelserver.Options{})
	if err := s.Fail(modelserver.Fault{Mode: modelserver.Cut}); err != nil {
		t.Fatal(err)
	}
	if code, err := askAs(t, s, ""); code != http.StatusOK || err == nil {
		t.Errorf("got %d, %v; want 200 and an error from the body", code, err)
	}
}

func TestFaultsOverGRPC(t *testing.T) {
	s := start(t, modelserver.Options{GRPCAddr: "127.0.0.1:0"})
	conn, err := grpc.NewClient(s.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for mode, want := range map[modelserver.Mode]codes.Code{
		modelserver.Errors: codes.Internal, modelserver.Refuse: codes.InvalidArgument, modelserver.Cut: codes.Unavailable,
	} {
		if err := s.Fail(modelserver.Fault{Mode: mode, Users: []string{"7"}}); err != nil {
			t.Fatal(err)
		}
		for user, want := range map[string]codes.Code{"7": want, "8": codes.OK} {
			ctx := metadata.AppendToOutgoingContext(context.Background(), modelserver.UserHeader, user)
			_, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{})
			if got := status.Code(err); got != want {
				t.Errorf("%s: user %s got %s, want %s", mode, user, got, want)
			}
		}
	}
}
