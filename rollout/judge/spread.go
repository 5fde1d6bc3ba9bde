package judge

// scales are the lengths of blocks, in looks, over which the spread is measured:
// bursts that last longer than a look show only in the longer ones.
var scales = [...]int{1, 5, 20}

const (
	// forgetting is what a block counts for after one more window.
	forgetting = 1 - 1.0/1800
)

// priorVariances are how much the assumed spread counts for at each scale, in
// units of the variance, four failures at even weights each: long blocks are few,
// and the largest of three noisy estimates would be too large.
var priorVariances = [...]float64{12, 25, 60}

// spread measures how much more the excess varies from block to block than
// that of independent requests would (a quasi-likelihood's dispersion; McCullagh
// and Nelder 1989, 4.5; blocks for autocorrelation). A lasting difference is not
// spread: what is left after the mean effect counts.
type spread struct {
	Scales [len(scales)]blocks `json:"scales"`
}

// blocks are the sums over blocks of one length; Excess and Variance are of the unfinished one.
type blocks struct {
	Looks    int     `json:"n,omitempty"`
	Excess   float64 `json:"d,omitempty"`
	Variance float64 `json:"v,omitempty"`
	SumD     float64 `json:"sd,omitempty"`
	SumV     float64 `json:"sv,omitempty"`
	SumDD    float64 `json:"dd,omitempty"`
	SumDV    float64 `json:"dv,omitempty"`
	SumVV    float64 `json:"vv,omitempty"`
}

func (s spread) add(excess, variance float64) spread {
	for i, length := range scales {
		b := &s.Scales[i]
		b.Looks++
		b.Excess += excess
		b.Variance += variance
		if b.Looks >= length {
			*b = b.closed(float64(length))
		}
	}
	return s
}

func (b blocks) closed(length float64) blocks {
	keep := 1 - length*(1-forgetting)
	return blocks{
		SumD:  b.SumD*keep + b.Excess,
		SumV:  b.SumV*keep + b.Variance,
		SumDD: b.SumDD*keep + b.Excess*b.Excess,
		SumDV: b.SumDV*keep + b.Excess*b.Variance,
		SumVV: b.SumVV*keep + b.Variance*b.Variance,
	}
}

// factor is by how much evidence is tempered, 1 or more: the largest of all
// scales, each drawn towards prior while there is little to see.
func (s spread) factor(prior float64) float64 {
	most := 1.0
	for i, b := range s.Scales {
		if b.SumV <= 0 {
			most = max(most, prior)
			continue
		}
		effect := b.SumD / b.SumV
		left := max(b.SumDD-2*effect*b.SumDV+effect*effect*b.SumVV, 0)
		most = max(most, (prior*priorVariances[i]+left)/(priorVariances[i]+b.SumV))
	}
	return most
}
