package check

import (
	"sync"

	"greenlight/rollout"
)

// eachEndpoint calls f for every endpoint, at most limit at a time, and returns
// when all calls have returned. f has to end soon after its context does.
func eachEndpoint(endpoints []rollout.Endpoint, limit int, f func(rollout.Endpoint)) {
	slots := make(chan struct{}, limit)
	var wg sync.WaitGroup
	for _, e := range endpoints {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			f(e)
		})
	}
	wg.Wait()
}
