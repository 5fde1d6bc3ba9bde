package judge

import "math"

// The alternatives that an evidence process bets on: odds ratios above what is
// tolerated, and their weights. The gross ones stand for an outage, in which a
// large part of the requests is hit. All weights together are 1.
var (
	ratios  = [...]float64{1.6, 2.7, 6, 30, 300, 3000}
	weights = [...]float64{0.2, 0.5, 0.2, 0.04, 0.03, 0.03}
)

const (
	gross = 3 // ratios from this one on are gross

	// A process bets from its first look with this part of its capital, and with the
	// rest in equal parts from each of the next looks, so that what begins late is
	// found too. The bound on errors is for that many looks (2 h of one a second) and
	// grows slowly after it: by lateness of the risk for each further such time.
	early    = 0.8
	lateness = 1 - early
	horizon  = 7200

	// Gross alternatives are not tempered by what was measured, as an outage is what
	// looks most like a burst; they are by this factor and the assumed spread.
	grossTemper = 4
	// One look adds at most so much to the logarithm of the evidence of the other
	// alternatives, so that no pause of 3 s decides.
	mostOfALook = 1.5

	// outage is the share of requests that an outage hits: it may decide at once.
	outage = 0.25

	largestLog = 690.0 // e^690 is finite
)

// bet is how boldly a process bets.
type bet struct {
	prior float64 // the spread that is assumed before it is measured
	most  float64 // the most that one look adds to an alternative's logarithm
	// gross is the same for a gross alternative.
	gross func(ratio float64) float64
}

// boldly is a bet on gross alternatives without a bound where they are an outage,
// a share of hit requests of outage or more, as odds are those of what is tolerated.
func boldly(prior, most, odds float64) bet {
	return bet{prior: prior, most: most, gross: func(ratio float64) float64 {
		if odds*ratio >= outage/(1-outage) {
			return largestLog
		}
		return most
	}}
}

// process is evidence against "not worse" by test martingales, one for each
// ratio: each look multiplies it by a likelihood ratio. While nothing is worse its
// expectation stays at most 1 at whatever moment one looks, so it reaches 1/risk
// with a probability of at most risk (Ville's inequality, as in Wang and Ramdas,
// arXiv:2304.01163). That is proved for windows in which the two colors' requests
// are exchangeable given the past. Requests that fail or are slow together are not,
// and for them the bound is held by tempering and shown by simulation alone: the
// likelihood is raised to 1/factor of Spread, as a generalised posterior's is where
// the model is wrong (Grünwald and van Ommen 2017, doi:10.1214/17-BA1085).
//
// Betting anew from each look is the e-detector of Shin, Ramdas and Rinaldo (2022,
// "E-detectors: a nonparametric framework for sequential change detection"), with capital that is divided beforehand, so that the bound is
// on false alarms and not on their rate.
type process struct {
	Looks  int                  `json:"looks,omitempty"`
	Logs   [len(ratios)]float64 `json:"logs"` // logarithm of the capital of each ratio
	Spread spread               `json:"spread"`
}

// add is p after a look: llr is the log likelihood ratio of an odds ratio
// against what is tolerated, excess what was seen above what is expected then,
// and variance that of the excess among independent requests.
func (p process) add(llr func(ratio float64) float64, excess, variance float64, b bet) process {
	// A look that speaks against the color is tempered by what it shows itself, too;
	// one that speaks for it only by the looks before. So no look adds more than one
	// whose temper was known beforehand, which Ville's inequality asks for.
	before := p.Spread.factor(b.prior)
	p.Spread = p.Spread.add(excess, variance)
	within := max(before, p.Spread.factor(b.prior))
	start := math.Log(lateness / horizon)
	if p.Looks == 0 {
		start = math.Log(early)
	}
	for i, ratio := range ratios {
		l := llr(ratio)
		switch {
		case i >= gross:
			l = min(l/(grossTemper*b.prior), b.gross(ratio))
		case l > 0:
			l = min(l/within, b.most)
		default:
			l /= before
		}
		capital := start
		if p.Looks > 0 {
			capital = logAdd(p.Logs[i], start)
		}
		p.Logs[i] = min(max(capital+l, -largestLog), largestLog)
	}
	p.Looks++
	return p
}

// evidence is the logarithm of the e-value; 0 before any look.
func (p process) evidence() float64 {
	if p.Looks == 0 {
		return 0
	}
	sum := math.Inf(-1)
	for i, w := range weights {
		sum = logAdd(sum, math.Log(w)+p.Logs[i])
	}
	return sum
}

func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// capped is e^log, finite.
func capped(log float64) float64 { return math.Exp(min(max(log, -largestLog), largestLog)) }
