package check

import (
	"sync"

	"greenlight/rollout"
)

// serialProgress makes sure that a job's progress is never reported concurrently.
type serialProgress struct {
	mu     sync.Mutex
	report func(rollout.CheckProgress)
}

func (s *serialProgress) of(check string) *progress {
	return &progress{serial: s, at: rollout.CheckProgress{Check: check}}
}

// progress counts one check's answers. Its counts are guarded by serial.mu.
type progress struct {
	serial *serialProgress
	at     rollout.CheckProgress
}

// begin says how many answers the check needs.
func (p *progress) begin(total int) {
	p.serial.mu.Lock()
	defer p.serial.mu.Unlock()
	p.at.Total = total
	p.tell()
}

// step counts one answer. It reports when a further hundredth is done, so that
// a million cases are no more work for the listener than a hundred.
func (p *progress) step() {
	p.serial.mu.Lock()
	defer p.serial.mu.Unlock()
	p.at.Done++
	if p.at.Done*100/p.at.Total != (p.at.Done-1)*100/p.at.Total {
		p.tell()
	}
}

func (p *progress) tell() {
	if p.serial.report != nil {
		p.serial.report(p.at)
	}
}
