package resource_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

const stickyUsers = 10_000

// TestStickyUsersStay moves 10,000 users of each kind through a real Envoy, as
// a switch does, and back. Both colors answer 503, because nothing is behind
// them: which of them a user is sent to is all that is asked here.
func TestStickyUsersStay(t *testing.T) {
	envoyPath(t)
	for name, c := range map[string]struct {
		sticky policy.Sticky
		from   policy.Color
		ask    func(addr string) ([]string, error)
	}{
		"header, to green":    {policy.Sticky{Header: "x-user"}, policy.Blue, byLine("X-User: user-%d")},
		"cookie, to blue":     {policy.Sticky{Cookie: "user", CookieTTL: time.Hour}, policy.Green, byLine("Cookie: a=b; user=u%d; c=d")},
		"source IP, to green": {policy.Sticky{SourceIP: true}, policy.Blue, bySource},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stickyUsersStay(t, c.sticky, c.from, c.ask)
		})
	}
}

func stickyUsersStay(t *testing.T, sticky policy.Sticky, from policy.Color, ask func(string) ([]string, error)) {
	e := startSplit(t, func(r *policy.Route) { r.Sticky = sticky })
	to := from.Other()
	at := func(w policy.Weight) []bool {
		e.split(t, rollout.Split(to, w))
		colors, err := ask(e.addr)
		if err != nil {
			t.Fatal(err)
		}
		moved, n := make([]bool, stickyUsers), 0
		for user, color := range colors {
			if moved[user] = color == string(to); moved[user] {
				n++
			}
		}
		// Six standard deviations of independent users.
		p := float64(w) / float64(policy.Full)
		if diff := float64(n) - p*stickyUsers; diff*diff > 36*stickyUsers*p*(1-p) {
			t.Errorf("%s: %d of %d users are on %s", w, n, stickyUsers, to)
		}
		return moved
	}
	steps := []policy.Weight{500, 2500, 5000, policy.Full}
	seen := map[policy.Weight][]bool{}
	for i, w := range steps {
		seen[w] = at(w)
		for user := range stickyUsers {
			if i > 0 && seen[steps[i-1]][user] && !seen[w][user] {
				t.Fatalf("user %d had moved at %s, and is back at %s", user, steps[i-1], w)
			}
		}
	}
	seen[0] = make([]bool, stickyUsers)
	// A rollback takes all of them back, and a new attempt the same ones again.
	for _, w := range []policy.Weight{0, 500} {
		again := at(w)
		for user := range stickyUsers {
			if again[user] != seen[w][user] {
				t.Fatalf("user %d is elsewhere at %s after a rollback", user, w)
			}
		}
	}
}

// byLine asks once for each user, who is told by a header line.
func byLine(format string) func(string) ([]string, error) {
	return func(addr string) ([]string, error) {
		colors := make([]string, stickyUsers)
		return colors, together(func(first, last int) error {
			return askOn(net.Dialer{}, addr, colors[first:last], func(i int) string { return fmt.Sprintf(format, first+i) })
		})
	}
}

// bySource asks once for each user, who has an address of its own.
func bySource(addr string) ([]string, error) {
	colors := make([]string, stickyUsers)
	return colors, together(func(first, last int) error {
		for user := first; user < last; user++ {
			from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 10, byte(user>>8), byte(user))}}
			if err := askOn(from, addr, colors[user:user+1], func(int) string { return "X: y" }); err != nil {
				return err
			}
		}
		return nil
	})
}

// together shares the users among a few clients.
func together(do func(first, last int) error) error {
	const clients = 4
	var g errgroup.Group
	for c := range clients {
		g.Go(func() error { return do(c*stickyUsers/clients, (c+1)*stickyUsers/clients) })
	}
	return g.Wait()
}

// askOn sends one request for each of colors over one connection, and notes
// which color answered.
func askOn(from net.Dialer, addr string, colors []string, line func(i int) string) error {
	from.Timeout = 10 * time.Second
	conn, err := from.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Minute)); err != nil {
		return err
	}
	answers := bufio.NewReader(conn)
	for i := range colors {
		if _, err := fmt.Fprintf(conn, "GET /v2/models/fraud HTTP/1.1\r\nHost: fraud.models.internal\r\n%s\r\n\r\n", line(i)); err != nil {
			return err
		}
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		colors[i] = resp.Header.Get(resource.ColorHeader)
	}
	return nil
}

// splitEnvoy is an Envoy that routes one model.
type splitEnvoy struct {
	stub      *adsStub
	fleet     *policy.Fleet
	model     resource.Model
	endpoints map[string][]rollout.Endpoint
	addr      string // of its listener
	admin     string
}

// startSplit starts an Envoy that routes fraud, changed by edit, all to blue.
func startSplit(t *testing.T, edit func(*policy.Route)) *splitEnvoy {
	t.Helper()
	port, admin := freePort(t), net.JoinHostPort("127.0.0.1", strconv.Itoa(freePort(t)))
	e := &splitEnvoy{
		fleet: edge(port), model: blueLive(variant("fraud", edit)), admin: "http://" + admin,
		addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), endpoints: map[string][]rollout.Endpoint{},
	}
	stub, server := startADS(t, fleetResources(e.fleet, []resource.Model{e.model}, e.endpoints)...)
	e.stub = stub
	boot, err := resource.Bootstrap(resource.Options{Server: server, Fleet: "edge", Admin: admin})
	if err != nil {
		t.Fatal(err)
	}
	startEnvoy(t, boot, "--service-node", "envoy-1")
	eventually(t, "the first answer", func() bool {
		a, err := get(t, "http://"+e.addr+"/v2/models/fraud", "fraud.models.internal")
		return err == nil && a.header.Get(resource.ColorHeader) != ""
	})
	return e
}

// split moves weight, and returns when Envoy has it.
func (e *splitEnvoy) split(t *testing.T, w rollout.Weights) {
	t.Helper()
	e.model.Weights = w
	e.publish(t)
}

func (e *splitEnvoy) publish(t *testing.T) {
	t.Helper()
	e.stub.replace(t, fleetResources(e.fleet, []resource.Model{e.model}, e.endpoints)...)
	eventually(t, "the ACK", func() bool { return e.stub.allAcked("type.googleapis.com/envoy.config.route.v3.RouteConfiguration") })
	if p := e.stub.problems(); len(p) > 0 {
		t.Fatalf("Envoy rejected: %s", strings.Join(p, "\n"))
	}
}
