package stats

// Kolmogorov shows the tests the one-sample distribution behind KS.
var Kolmogorov = kolmogorov

// Resamples shows the tests the sorted differences.
func (r BootstrapResult) Resamples() []float64 { return r.resamples }
