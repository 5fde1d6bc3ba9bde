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

// begin says how many answers the check needs beyond those that it has: all of
// them anew when it measures again. Neither count ever goes back.
func (p *progress) begin(total int) {
	p.serial.mu.Lock()
	defer p.serial.mu.Unlock()
	p.at.Total = max(p.at.Total, p.at.Done+total)
	p.tell()
}

// step counts one answer.
func (p *progress) step() { p.add(1) }

// add counts n answers. It reports when a further hundredth is done, so that a
// million cases are no more work for the listener than a hundred.
func (p *progress) add(n int) {
	p.serial.mu.Lock()
	defer p.serial.mu.Unlock()
	before := p.at.Done
	p.at.Done += n
	p.at.Total = max(p.at.Total, p.at.Done)
	if p.at.Done*100/max(p.at.Total, 1) != before*100/max(p.at.Total, 1) {
		p.tell()
	}
}

// end says what the check came to.
func (p *progress) end(result rollout.Result) {
	p.serial.mu.Lock()
	defer p.serial.mu.Unlock()
	p.at.Result = result
	p.tell()
}

func (p *progress) tell() {
	if p.serial.report != nil {
		p.serial.report(p.at)
	}
}
