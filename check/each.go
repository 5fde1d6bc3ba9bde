package check

import (
	"runtime/debug"
	"sync"

	"greenlight/rollout"
)

// eachEndpoint calls f for every endpoint, at most limit at a time, and returns
// when all calls have returned. f has to end soon after its context does.
func eachEndpoint(endpoints []rollout.Endpoint, limit int, f func(rollout.Endpoint)) {
	slots := make(chan struct{}, limit)
	var g group
	for _, e := range endpoints {
		slots <- struct{}{}
		g.run(func() {
			defer func() { <-slots }()
			f(e)
		})
	}
	g.wait()
}

// group is goroutines that work for one check. A panic in one of them is
// raised again where the check waits, so that it ends the check and not the
// process.
type group struct {
	wg    sync.WaitGroup
	once  sync.Once
	first *panicked
}

// panicked is a panic on its way to another goroutine, with the stack it came from.
type panicked struct {
	value any
	stack []byte
}

func (g *group) run(f func()) {
	g.wg.Go(func() {
		defer func() {
			if value := recover(); value != nil {
				at := panicked{value: value, stack: debug.Stack()}
				if deeper, ok := value.(panicked); ok {
					at = deeper
				}
				g.once.Do(func() { g.first = &at })
			}
		}()
		f()
	})
}

// wait waits for all, and panics if one of them did.
func (g *group) wait() {
	g.wg.Wait()
	if g.first != nil {
		panic(*g.first) //nolint:forbidigo // it is under way already, and goes on where the check is
	}
}
