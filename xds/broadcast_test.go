package xds

import (
	"context"
	"net"
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

// crowd is how many streams BenchmarkBroadcast switches at once.
const crowd = 1000

// BenchmarkBroadcast measures a switch from the decision to the last ACK on
// many ADS streams, beside its floor: a bare gRPC server that sends the same
// bytes to the same number of clients, which echo as many bytes back.
func BenchmarkBroadcast(b *testing.B) {
	ads := newADSCrowd(b)
	bare := newBareCrowd(b, ads.size)
	var tookADS, tookBare time.Duration
	for range 10 { // warm both
		ads.push(b)
		bare.push()
	}
	b.ResetTimer()
	for range b.N {
		tookADS += ads.push(b)
		tookBare += bare.push()
	}
	b.StopTimer()
	b.ReportMetric(float64(tookADS.Microseconds())/float64(b.N), "ads-µs")
	b.ReportMetric(float64(tookBare.Microseconds())/float64(b.N), "bare-µs")
	b.ReportMetric(float64(tookADS)/float64(tookBare), "ratio")
}

type adsCrowd struct {
	server     *Server
	policy     *policy.Model
	generation uint64
	done       chan struct{}
	size       int // bytes of one answer
}

// newADSCrowd starts nodes that ACK everything, in one process with a server
// for 20 models.
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
	a.size = s.fleets["edge"].routing.value.Len() + 200
	return a
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
			b.Fatalf("no confirmation: %+v", a.server.Report("fraud"))
		}
		if r := a.server.Report("fraud"); r.Acked == crowd && r.Generation == a.generation {
			return time.Since(begin)
		}
	}
}

// bareCrowd is a gRPC service without any logic: it sends one frame to all
// streams and counts what comes back.
type bareCrowd struct {
	body   []byte
	size   int
	frames []chan *frame
	mu     sync.Mutex
	echoes sync.WaitGroup
	ready  sync.WaitGroup
}

func newBareCrowd(b *testing.B, size int) *bareCrowd {
	f := &bareCrowd{body: make([]byte, size), size: size}
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

func (f *bareCrowd) push() time.Duration {
	begin := time.Now()
	f.echoes.Add(len(f.frames))
	value := sealBlob(route, "edge", "0123456789abcdef", f.body)
	m := &frame{mem.BufferSlice{head(route, value.version), value.sotw, value.value, nonceField("1")}}
	for _, out := range f.frames {
		out <- m
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
