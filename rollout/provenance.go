package rollout

import (
	"slices"
	"time"

	"greenlight/policy"
)

// PolicyUse says under which policy the generations from Generation on were
// published, until the next PolicyUse.
type PolicyUse struct {
	Generation uint64        `json:"generation"`
	At         time.Time     `json:"at"`
	Source     policy.Source `json:"source"`
}

// maxUses is how many policies of a model are remembered.
const maxUses = 20

// noteUse remembers which policy the present generation is published under.
func (t *turn) noteUse() {
	uses := t.s.Uses
	if n := len(uses); n > 0 && uses[n-1].Source.Hash == t.p.Source.Hash && uses[n-1].Source.File == t.p.Source.File {
		return
	}
	uses = append(slices.Clone(uses), PolicyUse{Generation: t.s.Generation, At: t.now, Source: t.p.Source})
	t.s.Uses = uses[max(0, len(uses)-maxUses):]
}
