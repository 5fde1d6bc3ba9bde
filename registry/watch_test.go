package registry

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// script is a registry whose answers a test gives by hand, per service.
type script struct {
	source
	say   map[key]chan answer
	mu    sync.Mutex
	runs  map[key]int // guarded by mu
	names sync.Map    // host names that resolve; others hang until given up
}

func newScript(keys ...key) *script {
	s := &script{say: map[key]chan answer{}, runs: map[key]int{}}
	for _, k := range keys {
		s.say[k] = make(chan answer)
	}
	s.source = source{name: "consul", hub: newHub(s.run), settle: DefaultSettle, afterErrors: true, log: quiet(), lookup: s.find}
	return s
}

func (s *script) run(ctx context.Context, k key, publish func(answer)) {
	s.mu.Lock()
	s.runs[k]++
	s.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-s.say[k]:
			publish(a)
		}
	}
}

func (s *script) find(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, ok := s.names.Load(host); ok {
		return []netip.Addr{netip.MustParseAddr(ip.(string))}, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// start watches and returns what is seen; the watch ends with the bubble's context.
func (s *script) start(ctx context.Context, d policy.Discovery, last *rollout.EndpointSet) *seen {
	out := newSeen()
	var keys []key
	for _, name := range serviceNames(d) {
		keys = append(keys, key{service: name})
	}
	go s.watch(ctx, "fraud", d, keys, last, out.emit)
	synctest.Wait()
	return out
}

// answer says that k has instances of the given ids, all of them blue.
func (s *script) answer(k key, in ...instance) {
	s.say[k] <- answer{services: map[string][]instance{k.service: in}}
	synctest.Wait()
}

func (s *script) fail(k key, text string) {
	s.say[k] <- answer{err: errors.New(text), faults: 1}
	synctest.Wait()
}

func blues(n int) (out []instance) {
	for i := range n {
		out = append(out, model(fmt.Sprintf("b%d", i), "blue"))
	}
	return out
}

var fraud = key{service: "fraud"}

// bubble runs f with a context that ends, with all goroutines, after it.
func bubble(t *testing.T, f func(ctx context.Context)) {
	synctest.Test(t, func(*testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		f(ctx)
		cancel()
		synctest.Wait()
	})
}

func TestWatchEmitsEachContentOnce(t *testing.T) {
	bubble(t, func(ctx context.Context) {
		s := newScript(fraud)
		out := s.start(ctx, byMeta, nil)
		if out.count() != 0 {
			t.Fatal("emitted before the first answer")
		}
		s.answer(fraud, blues(2)...)
		s.answer(fraud, blues(2)...)
		s.answer(fraud, blues(3)...)
		if out.count() != 2 || !has(3, 0)(out.last()) {
			t.Errorf("emitted %d sets, last %+v", out.count(), out.last())
		}
	})
}

func TestWatchHoldsAndWakesByItself(t *testing.T) {
	bubble(t, func(ctx context.Context) {
		s := newScript(fraud)
		out := s.start(ctx, byMeta, nil)
		s.answer(fraud, blues(8)...)
		began := time.Now()
		s.answer(fraud, blues(1)...)
		if set := out.last(); !stands(8, 0)(set) || !set.Since.Equal(began) {
			t.Fatalf("a sudden drop was believed: %+v", set)
		}
		time.Sleep(DefaultSettle - time.Millisecond)
		synctest.Wait()
		if out.count() != 2 {
			t.Fatal("gave up too early")
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if !has(1, 0)(out.last()) {
			t.Errorf("still holds: %+v", out.last())
		}
	})
}

func TestWatchWithLastGoodSet(t *testing.T) {
	bubble(t, func(ctx context.Context) {
		s := newScript(fraud)
		last := some(2, 0)
		out := s.start(ctx, byMeta, &last)
		if out.count() != 0 {
			t.Fatal("emitted before the registry was asked")
		}
		s.fail(fraud, "dial tcp 127.0.0.1:8500:\nconnection refused")
		if set := out.last(); !stands(2, 0)(set) || set.Problem != "consul: dial tcp 127.0.0.1:8500:; connection refused" {
			t.Errorf("emitted %+v", set)
		}
		s.fail(fraud, "dial tcp 127.0.0.1:8500:\nconnection refused")
		if out.count() != 1 {
			t.Error("the same problem was emitted twice")
		}
		s.answer(fraud, blues(2)...)
		if !has(2, 0)(out.last()) {
			t.Errorf("emitted %+v", out.last())
		}
	})
}

func TestWatchJoinsTwoServices(t *testing.T) {
	bubble(t, func(ctx context.Context) {
		a, b := key{service: "a"}, key{service: "b"}
		s := newScript(a, b)
		d := policy.Discovery{Services: map[policy.Color]string{policy.Blue: "a", policy.Green: "b"}, VersionMeta: "version"}
		out := s.start(ctx, d, nil)
		s.answer(a, model("1", ""))
		if out.count() != 0 {
			t.Fatal("emitted one half of a model")
		}
		s.answer(b, model("2", ""), model("3", ""))
		if out.count() != 1 || !has(1, 2)(out.last()) {
			t.Fatalf("emitted %+v", out.all())
		}
		s.fail(b, "no path to datacenter")
		s.answer(a, model("1", ""), model("4", ""))
		if !stands(1, 2)(out.last()) {
			t.Fatalf("half a registry was believed: %+v", out.last())
		}
		s.answer(b, model("2", ""), model("3", ""))
		if !has(2, 2)(out.last()) {
			t.Errorf("emitted %+v", out.last())
		}
	})
}

func TestWatchSharesFeeds(t *testing.T) {
	bubble(t, func(ctx context.Context) {
		s := newScript(fraud)
		first, leave := context.WithCancel(ctx)
		one := s.start(first, byMeta, nil)
		s.answer(fraud, blues(1)...)
		two := s.start(ctx, byMeta, nil)
		if s.runs[fraud] != 1 || !has(1, 0)(two.last()) {
			t.Fatalf("%d feeds; the late watcher saw %+v", s.runs[fraud], two.last())
		}
		leave()
		synctest.Wait()
		s.answer(fraud, blues(2)...)
		if !has(1, 0)(one.last()) || !has(2, 0)(two.last()) {
			t.Errorf("the one that left saw %+v, the other %+v", one.last(), two.last())
		}
	})
}

func TestHubStartsAnewAfterTheLastLeft(t *testing.T) {
	bubble(t, func(ctx context.Context) {
		s := newScript(fraud)
		for range 2 {
			ctx, leave := context.WithCancel(ctx)
			out := s.start(ctx, byMeta, nil)
			if out.count() != 0 {
				t.Error("an old feed's answer was used")
			}
			s.answer(fraud, blues(1)...)
			leave()
			synctest.Wait()
		}
		if s.runs[fraud] != 2 {
			t.Errorf("%d feeds, want 2", s.runs[fraud])
		}
	})
}

func TestWatchResolvesHostNames(t *testing.T) {
	bubble(t, func(ctx context.Context) {
		s := newScript(fraud)
		s.names.Store("gpu-1", "10.1.1.1")
		named := func(id, host string) instance {
			return model(id, "blue", func(in *instance) { in.address = host })
		}
		out := s.start(ctx, byMeta, nil)
		began := time.Now()
		s.say[fraud] <- answer{services: map[string][]instance{"fraud": {named("a", "gpu-1"), named("b", "gpu-2")}}}
		time.Sleep(resolveWithin)
		synctest.Wait()
		set := out.last()
		if !has(1, 0)(set) || set.Blue[0].Address != "10.1.1.1" || set.Unready[policy.Blue] != 1 || time.Since(began) > resolveWithin {
			t.Fatalf("after %s: %+v", time.Since(began), set)
		}
		s.names.Store("gpu-2", "10.1.1.2")
		time.Sleep(resolveFailed)
		synctest.Wait()
		if set = out.last(); !has(2, 0)(set) {
			t.Fatalf("the name was not looked up again: %+v", set)
		}
		s.names.Store("gpu-1", "10.1.1.9")
		time.Sleep(resolveEvery)
		synctest.Wait()
		if got := out.last().Blue[0].Address; got != "10.1.1.9" {
			t.Errorf("address %s; the name moved to 10.1.1.9", got)
		}
		s.names.Delete("gpu-1")
		time.Sleep(3 * resolveEvery)
		synctest.Wait()
		if !has(2, 0)(out.last()) {
			t.Errorf("a failing name server took an endpoint: %+v", out.last())
		}
	})
}

// A change is not held up by a name server that hangs on names known before.
func TestWatchDoesNotWaitForKnownNames(t *testing.T) {
	bubble(t, func(ctx context.Context) {
		s := newScript(fraud)
		s.names.Store("gpu-1", "10.1.1.1")
		named := model("a", "blue", func(in *instance) { in.address = "gpu-1" })
		out := s.start(ctx, byMeta, nil)
		s.answer(fraud, named)
		s.names.Delete("gpu-1")
		time.Sleep(resolveEvery) // a look-up hangs from here on
		synctest.Wait()
		s.answer(fraud, named, model("c", "blue"))
		if !has(2, 0)(out.last()) {
			t.Errorf("the change waited: %+v", out.last())
		}
	})
}

func TestOneLine(t *testing.T) {
	long := oneLine(errors.New(strings.Repeat("é", lineMost)))
	if len(long) > lineMost+4 || strings.ContainsRune(long, '\uFFFD') {
		t.Errorf("badly cut: %d bytes", len(long))
	}
}
