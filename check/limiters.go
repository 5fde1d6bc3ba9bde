package check

import (
	"sync"

	"greenlight/check/predict"
	"greenlight/policy"
	"greenlight/rollout"
)

// limiters hold what all checks of one run together may send to each color.
type limiters struct {
	job rollout.CheckJob
	mu  sync.Mutex
	of  map[policy.Color]*predict.Limiter
}

func newLimiters(job rollout.CheckJob) *limiters {
	return &limiters{job: job, of: map[policy.Color]*predict.Limiter{}}
}

// limiter is what every request to an endpoint of color has to go through.
func (r *Runner) limiter(color policy.Color) *predict.Limiter {
	l := r.limiters
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of[color] == nil {
		l.of[color] = predict.NewLimiter(capOf(l.job, color))
	}
	return l.of[color]
}

// capOf is the policy's cap for color. Wherever users are, it is that of the
// live color: at a step both colors have some.
func capOf(job rollout.CheckJob, color policy.Color) policy.Cap {
	if color == job.Live || job.For.Weights.Of(color) > 0 {
		return job.Predict.Load.Live
	}
	return job.Predict.Load.Idle
}
