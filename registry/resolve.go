package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// resolveWithin bounds one look-up of all names together.
	resolveWithin = 2 * time.Second
	// resolveAtOnce bounds how many names are asked for at the same time.
	resolveAtOnce = 32
	// Names are looked up again this often; sooner while one has no address.
	resolveEvery  = 30 * time.Second
	resolveFailed = 5 * time.Second
)

// lookup finds the addresses of a host name, as net.Resolver.LookupNetIP does.
type lookup func(ctx context.Context, host string) ([]netip.Addr, error)

func netLookup(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// found is what is known of one host name. Once it had an address it keeps one:
// a name server that fails takes no endpoint away.
type found struct {
	addr netip.Addr
	err  error // nil when addr is valid
}

// hosts maps host names to what is known of them. It belongs to one goroutine.
// Envoy's EDS takes IP addresses only, so names are resolved here.
type hosts map[string]found

// missing lists the names in use that were never looked up.
func (h hosts) missing(inUse []string) []string {
	var out []string
	for _, host := range inUse {
		if _, ok := h[host]; !ok {
			out = append(out, host)
		}
	}
	return out
}

// keep forgets all names but those in use.
func (h hosts) keep(inUse []string) {
	for host := range h {
		if !slices.Contains(inUse, host) {
			delete(h, host)
		}
	}
}

// merge takes over what a look-up found.
func (h hosts) merge(news map[string][]netip.Addr, inUse []string) {
	for _, host := range inUse {
		if addrs, ok := news[host]; ok && len(addrs) > 0 {
			h[host] = found{addr: pick(h[host].addr, addrs)}
		} else if !h[host].addr.IsValid() {
			h[host] = found{err: fmt.Errorf("host name %q has no address", host)}
		}
	}
}

// next is how long what is known may stand; 0 means: for good.
func (h hosts) next() time.Duration {
	if len(h) == 0 {
		return 0
	}
	for _, f := range h {
		if f.err != nil {
			return resolveFailed
		}
	}
	return resolveEvery
}

// locate turns an instance's address into an IP address.
func (h hosts) locate(address string) (netip.Addr, error) {
	if address == "" {
		return netip.Addr{}, errors.New("has no address")
	}
	if ip, err := netip.ParseAddr(address); err == nil {
		return ip.Unmap(), usable(ip)
	}
	if f, ok := h[address]; ok {
		return f.addr, f.err
	}
	return netip.Addr{}, fmt.Errorf("host name %q was not looked up", address)
}

// usable says why Envoy could not send requests to ip.
func usable(ip netip.Addr) error {
	switch {
	case ip.Zone() != "":
		return fmt.Errorf("address %s has a zone", ip)
	case ip.IsUnspecified():
		return fmt.Errorf("address %s is unspecified", ip)
	}
	return nil
}

// pick keeps to the address in use; otherwise the smallest, IPv4 first, so that
// a name server that rotates its answers moves no endpoint.
func pick(present netip.Addr, addrs []netip.Addr) netip.Addr {
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	if slices.Contains(addrs, present) {
		return present
	}
	return slices.MinFunc(addrs, netip.Addr.Compare)
}

// hostNames lists the addresses that are names, each once, sorted.
func hostNames(names []string, services map[string][]instance) []string {
	var out []string
	for _, name := range names {
		for _, in := range services[name] {
			if _, err := netip.ParseAddr(in.address); err != nil && in.address != "" {
				out = append(out, in.address)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// lookUp asks for all names at once and returns within resolveWithin. A name
// that is missing from the result was not found.
func (l lookup) lookUp(ctx context.Context, names []string) map[string][]netip.Addr {
	ctx, cancel := context.WithTimeout(ctx, resolveWithin)
	defer cancel()
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		out   = make(map[string][]netip.Addr, len(names))
		slots = make(chan struct{}, resolveAtOnce)
	)
	for _, name := range names {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			addrs, err := l(ctx, name)
			if err != nil || len(addrs) == 0 {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			out[name] = addrs
		})
	}
	wg.Wait()
	return out
}
