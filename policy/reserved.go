package policy

import "slices"

// reserved lists the columns that checks use themselves, sorted. A data set is
// often read by several checks, so what one of them calls the label no other
// one sends to the model.
func reserved(lists ...[]Check) []string {
	var columns []string
	for _, c := range slices.Concat(lists...) {
		if q := c.Quality; q != nil {
			columns = append(append(columns, q.Label, q.Items), q.Slices...)
		}
		if d := c.Drift; d != nil && d.Baseline != nil {
			columns = append(columns, d.Baseline.Label, d.Baseline.Score, d.Baseline.Value)
		}
	}
	slices.Sort(columns)
	columns = slices.Compact(columns)
	return slices.DeleteFunc(columns, func(c string) bool { return c == "" })
}
