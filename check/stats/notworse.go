package stats

// Decision is what a comparison with the live color comes to.
type Decision uint8

// The decisions.
const (
	Pass         Decision = iota // nothing says that it is worse
	Fail                         // it is worse
	Inconclusive                 // too little is known
)

// JudgeNotWorse decides whether the idle color is not worse than the live one
// by more than margin. difference is idle's value less live's, turned around
// for metrics of which less is better, so that a positive one says that idle is
// better. pWorse is the one-sided p-value for the hypothesis that the
// difference is at least −margin, against that it is less: small if idle is
// worse; of one gate among several the adjusted one, see [Families].
//
// It fails if pWorse is below alpha. Otherwise it is inconclusive if the
// interval reaches further down than margin and detect together, unless detect
// is 0: then the data can't show that no such loss is there. With
// alpha = (1−confidence)/2 an equal model fails with at most that probability.
func JudgeNotWorse(difference Interval, pWorse, alpha, margin, detect float64) Decision {
	switch {
	case pWorse < alpha:
		return Fail
	case detect > 0 && difference.Low < -(margin+detect):
		return Inconclusive
	}
	return Pass
}

// Families adjusts the p-values of one check so that each may be compared with
// alpha and the probability that any model that is not worse fails stays below
// alpha: the gates over all rows and those of the slices are a family each, of
// which each has half of alpha (without slices the gates have all), and is
// adjusted by Holm's method within.
func Families(gates, slices []float64) (adjustedGates, adjustedSlices []float64) {
	adjustedGates, adjustedSlices = Holm(gates), Holm(slices)
	if len(gates) == 0 || len(slices) == 0 {
		return adjustedGates, adjustedSlices
	}
	for _, family := range [...][]float64{adjustedGates, adjustedSlices} {
		for i, p := range family {
			family[i] = min(1, 2*p)
		}
	}
	return adjustedGates, adjustedSlices
}
