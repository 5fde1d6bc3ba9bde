package metrics

// ROC is the curve of true positive against false positive rates, from (0, 0)
// to (1, 1), as at most points points (at least 2), for a picture.
func (s *Scores) ROC(points int) (fpr, tpr []float64, err error) {
	if s.invalid != nil {
		return nil, nil, s.invalid
	}
	fpr, tpr = []float64{0}, []float64{0}
	var positives, others float64
	s.ranking.thresholds(nil, func(p, o float64) {
		positives, others = p, o
		fpr, tpr = append(fpr, o), append(tpr, p)
	})
	if err := twoClasses(positives, others); err != nil {
		return nil, nil, err
	}
	for i := range fpr {
		fpr[i] /= others
		tpr[i] /= positives
	}
	fpr, tpr = thin(fpr, tpr, points)
	return fpr, tpr, nil
}

// PR is the curve of precision against rising recall, from (0, 1) on, as at
// most points points (at least 2), for a picture.
func (s *Scores) PR(points int) (recall, precision []float64, err error) {
	if s.invalid != nil {
		return nil, nil, s.invalid
	}
	recall, precision = []float64{0}, []float64{1}
	var positives, others float64
	s.ranking.thresholds(nil, func(p, o float64) {
		positives, others = p, o
		recall, precision = append(recall, p), append(precision, p/(p+o))
	})
	if err := somePositive(positives, others); err != nil {
		return nil, nil, err
	}
	for i := range recall {
		recall[i] /= positives
	}
	recall, precision = thin(recall, precision, points)
	return recall, precision, nil
}

// thin keeps the points of a curve whose x and y rise or fall that are spread
// evenly along the way |Δx| + |Δy|, the first and the last among them.
func thin(x, y []float64, points int) (fewX, fewY []float64) {
	points = max(points, 2)
	if len(x) <= points {
		return x, y
	}
	way := make([]float64, len(x))
	for i := 1; i < len(x); i++ {
		way[i] = way[i-1] + abs(x[i]-x[i-1]) + abs(y[i]-y[i-1])
	}
	last := len(x) - 1
	for i, next := 0, 0; i < last; i++ {
		if way[i] >= way[last]*float64(next)/float64(points-1) {
			fewX, fewY = append(fewX, x[i]), append(fewY, y[i])
			for way[i] >= way[last]*float64(next)/float64(points-1) {
				next++
			}
		}
	}
	return append(fewX, x[last]), append(fewY, y[last])
}

func abs(v float64) float64 {
	return max(v, -v)
}
