package xds

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"

	"greenlight/policy"
	"greenlight/rollout"
)

const (
	// crowd is how many streams BenchmarkFigureBroadcast switches at once.
	crowd = 1000
	// rounds is how often it does so at least; the medians of fewer mean little.
	rounds = 60
	// goal is how many times its floor a switch may take.
	goal = 1.5
)

// BenchmarkFigureBroadcast measures a switch from the decision to the report
// that the last of many ADS streams has ACKed it. Its floor is a bare gRPC
// server, built alike, that sends the same bytes to as many clients in the same
// process, each of which answers with an ACK. The two take turns.
func BenchmarkFigureBroadcast(b *testing.B) {
	ads := newADSCrowd(b)
	bare := newBareCrowd(b, ads.answer())
	for range 10 { // warm both
		ads.push(b)
		bare.push(b)
	}
	var ours, floor []time.Duration
	b.ResetTimer()
	for range max(b.N, rounds) {
		ours = append(ours, ads.push(b))
		floor = append(floor, bare.push(b))
	}
	b.StopTimer()
	o, f := median(ours), median(floor)
	ratio := float64(o) / float64(f)
	b.ReportMetric(ratio, "ratio")
	verdict := "reached"
	if ratio > goal {
		verdict = "MISSED"
	}
	fmt.Printf("\nDecision to last ACK on %d ADS streams, %d times: p50 %v\n  floor, a bare gRPC broadcast of the same %d bytes to as many clients: p50 %v; ratio of p50 %.2f (goal %.1f: %s)\n",
		crowd, len(ours), o.Round(100*time.Microsecond), bare.frame.pieces.Len(), f.Round(100*time.Microsecond), ratio, goal, verdict)
	b.ReportMetric(0, "ns/op")
}

func median(of []time.Duration) time.Duration {
	slices.Sort(of)
	return of[len(of)/2]
}

type adsCrowd struct {
	server     *Server
	policy     *policy.Model
	generation uint64
	done       chan struct{}
}

// newADSCrowd starts nodes that ACK everything, in one process with a server
// for some models.
func newADSCrowd(b *testing.B) *adsCrowd {
	a := &adsCrowd{generation: 1, done: make(chan struct{}, 1)}
	s, err := New(Options{Log: quiet, Changed: func(m string) {
		select {
		case a.done <- struct{}{}:
		default:
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
	a.server = s
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "fraud"} {
		s.Endpoints(name, eps(1, 2), eps(2, 2))
		a.policy = modelNamed(name) // of the last, fraud
		s.Route(routing(a.policy, 1, allBlue))
	}
	s.Open()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Run(ctx) })
	g := grpc.NewServer(ServerOptions()...)
	s.Register(g)
	addr := listen(b, g, &wg)
	b.Cleanup(func() { cancel(); g.Stop(); wg.Wait() })
	for i := range crowd {
		conn := connect(b, addr)
		st, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).StreamAggregatedResources(ctx)
		if err != nil {
			b.Fatal(err)
		}
		wg.Go(func() { obey(st, nodeOf("edge", string(rune('a'+i%26))+time.Duration(i).String())) })
	}
	for s.Report("fraud").Acked < crowd {
		time.Sleep(10 * time.Millisecond)
	}
	return a
}

// answer is what every node is sent in a push.
func (a *adsCrowd) answer() *frame {
	b := a.server.fleets["edge"].routing
	return &frame{mem.BufferSlice{head(route, b.version), b.sotw, b.value, nonceField("42")}}
}

type adsClient = grpc.BidiStreamingClient[discoveryv3.DiscoveryRequest, discoveryv3.DiscoveryResponse]

// obey does what an Envoy does that agrees with everything.
func obey(st adsClient, id *corev3.Node) {
	if st.Send(&discoveryv3.DiscoveryRequest{Node: id, TypeUrl: typeURLs[cluster]}) != nil {
		return
	}
	names := map[string][]string{typeURLs[route]: {"edge"}}
	for {
		m, err := st.Recv()
		if err != nil {
			return
		}
		_ = st.Send(&discoveryv3.DiscoveryRequest{TypeUrl: m.TypeUrl, ResourceNames: names[m.TypeUrl], VersionInfo: m.VersionInfo, ResponseNonce: m.Nonce})
		if k, _ := kindOf(m.TypeUrl); k == cluster {
			for _, c := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "fraud"} {
				names[typeURLs[endpoint]] = append(names[typeURLs[endpoint]], c+"/blue", c+"/green")
			}
			_ = st.Send(&discoveryv3.DiscoveryRequest{TypeUrl: typeURLs[endpoint], ResourceNames: names[typeURLs[endpoint]]})
			_ = st.Send(&discoveryv3.DiscoveryRequest{TypeUrl: typeURLs[route], ResourceNames: names[typeURLs[route]]})
		}
	}
}

// push switches one model and returns how long it took until Report said that
// every node had confirmed.
func (a *adsCrowd) push(b *testing.B) time.Duration {
	a.generation++
	w := []rollout.Weights{allBlue, allGreen}[a.generation%2]
	select {
	case <-a.done:
	default:
	}
	begin := time.Now()
	a.server.Route(routing(a.policy, a.generation, w))
	for {
		select {
		case <-a.done:
		case <-time.After(10 * time.Second):
			b.Fatalf("no confirmation: %s", a.stuck())
		}
		if r := a.server.Report("fraud"); r.Acked == crowd && r.Generation == a.generation {
			return time.Since(begin)
		}
	}
}

// stuck tells what of the crowd is not where it should be.
func (a *adsCrowd) stuck() string {
	a.server.mu.RLock()
	defer a.server.mu.RUnlock()
	f := a.server.fleets["edge"]
	out := fmt.Sprintf("%d nodes, %d stale, behind %d, unsettled %v, touched %v", len(f.nodes), len(a.server.stale), f.audience.behind.Load(), f.unsettled, f.audience.touched.Load())
	for n := range f.nodes {
		n.mu.Lock()
		if h := n.find(route, "edge"); h == nil || !h.confirmed() {
			out += fmt.Sprintf("\n%s: %+v", n.key.id, h)
		}
		n.mu.Unlock()
	}
	return out
}

// bareCrowd is a gRPC service without any logic: it sends one frame to all
// streams and counts what comes back.
type bareCrowd struct {
	frame  *frame
	frames []chan *frame
	mu     sync.Mutex
	echoes sync.WaitGroup
	ready  sync.WaitGroup
}

func newBareCrowd(b *testing.B, answer *frame) *bareCrowd {
	f := &bareCrowd{frame: answer}
	g := grpc.NewServer(ServerOptions()...)
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(g, bareService{f: f})
	var wg sync.WaitGroup
	addr := listen(b, g, &wg)
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(func() { cancel(); g.Stop(); wg.Wait() })
	f.ready.Add(crowd)
	for range crowd {
		st, err := discoveryv3.NewAggregatedDiscoveryServiceClient(connect(b, addr)).StreamAggregatedResources(ctx)
		if err != nil {
			b.Fatal(err)
		}
		wg.Go(func() {
			for {
				m, err := st.Recv()
				if err != nil {
					return
				}
				_ = st.Send(&discoveryv3.DiscoveryRequest{TypeUrl: m.TypeUrl, ResourceNames: []string{"edge"}, VersionInfo: m.VersionInfo, ResponseNonce: m.Nonce})
			}
		})
	}
	f.ready.Wait()
	return f
}

type bareService struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
	f *bareCrowd
}

func (s bareService) StreamAggregatedResources(st sotwStream) error {
	out := make(chan *frame, 1)
	s.f.mu.Lock()
	s.f.frames = append(s.f.frames, out)
	s.f.mu.Unlock()
	s.f.ready.Done()
	go func() {
		for {
			if _, err := st.Recv(); err != nil {
				return
			}
			s.f.echoes.Done()
		}
	}()
	for {
		select {
		case m := <-out:
			if err := st.SendMsg(m); err != nil {
				return err
			}
		case <-st.Context().Done():
			return nil
		}
	}
}

// push sends the frame to all and returns how long it took until the last
// answer was there.
func (f *bareCrowd) push(b *testing.B) time.Duration {
	b.Helper()
	begin := time.Now()
	f.echoes.Add(len(f.frames))
	for _, out := range f.frames {
		out <- f.frame
	}
	f.echoes.Wait()
	return time.Since(begin)
}

func listen(b *testing.B, g *grpc.Server, wg *sync.WaitGroup) string {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	wg.Go(func() { _ = g.Serve(lis) })
	return lis.Addr().String()
}

// connect dials with static windows, so that no side probes for bandwidth.
func connect(b *testing.B, addr string) *grpc.ClientConn {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStaticStreamWindowSize(window), grpc.WithStaticConnWindowSize(window))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return conn
}
