package serve

import (
	"sync/atomic"

	"greenlight/api"
	"greenlight/policy"
)

// filed holds what the policy files said last, for whoever asks.
type filed struct{ set atomic.Pointer[policy.Set] }

func (f *filed) put(set policy.Set) { f.set.Store(&set) }

// whatIsFiled is what the admin API tells of the policy files.
func (s *server) whatIsFiled() api.Filed {
	out := api.Filed{Folder: s.config.Policies, Files: s.config.Policies, AllowRemoval: s.config.AllowRemoval}
	if s.repository != nil {
		out.Folder, out.Files = s.repository.Named()
	}
	if set := s.filed.set.Load(); set != nil {
		out.Set = *set
	}
	return out
}
