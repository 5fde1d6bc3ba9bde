package judge

import "math"

// table is one window's 2x2 table: requests of each color and how many were hit.
type table struct{ idle, live, idleHit, liveHit int }

// empty reports whether the table says nothing about the colors.
func (t table) empty() bool {
	hit := t.idleHit + t.liveHit
	return t.idle <= 0 || t.live <= 0 || hit <= 0 || hit >= t.idle+t.live
}

// look adds t to p. Given its margins, the idle color's hits have Fisher's
// noncentral hypergeometric distribution, which the odds ratio alone determines:
// whatever hits both colors at once cancels (Cochran 1954; Mantel and Haenszel
// 1959; e-values for strata: Turner and Grünwald,
// AISTATS 2023, arXiv:2302.11401).
func (t table) look(p process, tolerated, prior float64) process {
	if t.empty() {
		return p
	}
	base, mean, variance := t.sum(tolerated)
	llr := func(ratio float64) float64 {
		s, _, _ := t.sum(tolerated * ratio)
		return float64(t.idleHit)*math.Log(ratio) - (s - base)
	}
	return p.add(llr, float64(t.idleHit)-mean, variance, boldly(prior, mostOfALook, tolerated*(float64(t.liveHit)+0.5)/(float64(t.live-t.liveHit)+0.5)))
}

// sum is the logarithm of the distribution's normalising sum, its mean and
// variance for an odds ratio, summed outwards from the mode.
func (t table) sum(odds float64) (logSum, mean, variance float64) {
	hit := t.idleHit + t.liveHit
	lo, hi := max(0, hit-t.live), min(t.idle, hit)
	n, h, rest := float64(t.idle), float64(hit), float64(t.live-hit)
	up := func(x int) float64 { // the term at x+1 over that at x
		f := float64(x)
		return odds * (n - f) * (h - f) / ((f + 1) * (rest + f + 1))
	}
	below, above := lo, hi // the first x where terms fall; up falls with x
	for below < above {
		mid := (below + above) / 2
		if up(mid) > 1 {
			below = mid + 1
		} else {
			above = mid
		}
	}
	mode := below
	const negligible = 1e-13
	total, first, second := 1.0, 0.0, 0.0
	term := 1.0
	for x := mode; x < hi && term > negligible; x++ {
		term *= up(x)
		d := float64(x + 1 - mode)
		total, first, second = total+term, first+term*d, second+term*d*d
	}
	term = 1
	for x := mode; x > lo && term > negligible; x-- {
		term /= up(x - 1)
		d := float64(x - 1 - mode)
		total, first, second = total+term, first+term*d, second+term*d*d
	}
	first /= total
	logMode := logChoose(t.idle, mode) + logChoose(t.live, hit-mode) + float64(mode)*math.Log(odds)
	return logMode + math.Log(total), float64(mode) + first, max(second/total-first*first, 0)
}

func logChoose(n, k int) float64 {
	lgamma := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return lgamma(n) - lgamma(k) - lgamma(n-k)
}

// against adds to p that so many of all were hit, where a share is expected at most.
func against(p process, hit, all int, share float64, b bet) process {
	if all <= 0 {
		return p
	}
	share = min(max(share, 1e-6), 1-1e-6)
	odds, x, n := share/(1-share), float64(hit), float64(all)
	llr := func(ratio float64) float64 { return binomial(x, n, share, odds*ratio/(1+odds*ratio)) }
	return p.add(llr, x-n*share, n*share*(1-share), b)
}

// binomial is the log likelihood ratio of share q against p, after x of n.
func binomial(x, n, p, q float64) float64 {
	return x*math.Log(q/p) + (n-x)*math.Log((1-q)/(1-p))
}
