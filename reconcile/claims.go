package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"greenlight/policy"
)

// claims knows which policies route or are about to: what each model's loop
// has in force, and what the policy folder says. The folder lets no two files
// claim the same traffic; a policy that comes back from before can.
type claims struct {
	mu     sync.Mutex
	folder map[string]*policy.Model // by model
	force  map[string]*policy.Model
}

func newClaims() *claims {
	return &claims{folder: map[string]*policy.Model{}, force: map[string]*policy.Model{}}
}

// read takes what the policy folder says now.
func (c *claims) read(set policy.Set) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.folder)
	for model, entry := range set.Models {
		if entry.Model != nil {
			c.folder[model] = entry.Model
		}
	}
}

// use notes that m is in force.
func (c *claims) use(m *policy.Model) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.force[m.Name] = m
}

// drop forgets a model that is routed no more.
func (c *claims) drop(model string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.force, model)
	delete(c.folder, model)
}

// restore puts m in force if nobody else has its traffic, or is about to; else
// it says who has what. Looking and taking are one, so that of two models that
// go back to the same traffic only one does.
func (c *claims) restore(m *policy.Model) (taken string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, policies := range []map[string]*policy.Model{c.force, c.folder} {
		for _, other := range slices.Sorted(maps.Keys(policies)) {
			if other == m.Name {
				continue
			}
			if over := policy.SharedClaim(m, policies[other]); over != "" {
				return fmt.Sprintf("model %s has %s by now", other, over)
			}
		}
	}
	c.force[m.Name] = m
	return ""
}
