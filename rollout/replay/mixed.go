package replay

import (
	"fmt"

	"greenlight/policy"
)

// mixes says why p can't replay a switch of the other kind: where new instances take the
// place of old ones nobody knows what would have been without, and the other way round.
// Where both colors were complete that makes no difference.
func (p *player) mixes(m *policy.Model) error {
	sw := p.recording.Switch
	rolled, rolls := sw.Plan.Rolling != nil, m.Rolling != nil && sw.Undoes == ""
	switch {
	case rolled == rolls:
		return nil
	case rolled && !p.instances.complete:
		return fmt.Errorf("switch %s was a rolling one, in which instances of %s came in the place of those of %s; this policy's shift is not rolling and lets none go: "+
			"whether there was room for both can't be known. Replay it under a rolling policy, or say in a policy test what instances there are", sw.ID, sw.To, sw.From)
	case rolled:
		p.note(fmt.Sprintf("the policy lets no instance go while the switch runs: those of %s that did make room are taken to have stayed", sw.From))
		return nil
	case !p.instances.complete:
		return fmt.Errorf("switch %s was not a rolling one, and %s never had as many instances as %s before users met it; this policy's shift is rolling: "+
			"how long new ones take to come in the place of old ones was not measured. Replay it under a policy that is not rolling, or try this one in a policy test", sw.ID, sw.To, sw.From)
	default:
		p.note(fmt.Sprintf("%s had all its instances from the start: the weight follows all of them at once; where they have no room beside the old ones it would have begun with a batch", sw.To))
		return nil
	}
}
