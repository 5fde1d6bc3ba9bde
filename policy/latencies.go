package policy

import "math"

// minLatencies is how few latencies can be judged at all.
const minLatencies = 20

// LatenciesNeeded is how many latencies a quantile needs before a check says that
// it is kept: so many that one of them is expected beyond it. With fewer even a
// server that is too slow for every 50th request would often show nothing beyond
// its 99th percentile. A quantile of 0 asks how many can be judged at all.
func LatenciesNeeded(quantile float64) int {
	return max(minLatencies, int(math.Round(1/(1-quantile))))
}
