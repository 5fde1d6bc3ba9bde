package policy

import "strings"

// A data set's label is a class, a number, or a list of relevances: the metrics
// of one check are all of one family.
const (
	familyClasses  = "classes"
	familyNumbers  = "numbers"
	familyRankings = "rankings"
)

func (m Metric) family() string {
	switch m {
	case RMSE, MAE, R2:
		return familyNumbers
	case NDCG:
		return familyRankings
	}
	return familyClasses
}

// family notes gates and keys that can't go together.
func (b *builder) family(path string, q *QualityCheck) {
	if len(q.Gates) == 0 {
		return
	}
	first, usesK := q.Gates[0].Metric, false
	for _, g := range q.Gates {
		usesK = usesK || g.Metric == TopK || g.Metric == NDCG
		if g.Metric.family() != first.family() {
			at := child(path+".gates", string(g.Metric))
			b.problem(at, RuleContradiction, "%s is a metric of %s and %s one of %s, and the label is only one of them; write two quality checks",
				shown(at), g.Metric.family(), first, first.family())
		}
	}
	if first.family() == familyRankings {
		if q.Items == "" {
			b.require(path+".items", "for ndcg name the column that names the items whose relevance the label lists")
		}
	} else {
		b.refuseKey(path+".items", "is for ndcg")
	}
	if !usesK {
		b.refuseKey(path+".k", "is for topK and ndcg")
	}
}

// answered notes metrics of what the answer is said not to hold. Of an answer
// that nothing is said of, only the data will tell, except that a ranking has
// to be named.
func (b *builder) answered(path string, q *QualityCheck, a Answer) {
	silent := a.Label == "" && a.Scores == "" && a.Value == "" && a.Ranking == ""
	for _, g := range q.Gates {
		needs := []string{"label", "scores"}
		fits := silent || a.Label != "" || a.Scores != ""
		switch g.Metric {
		case ROCAUC, PRAUC, LogLoss, Brier:
			needs, fits = []string{"scores"}, silent || a.Scores != ""
		case TopK:
			needs, fits = []string{"scores", "ranking"}, silent || a.Scores != "" || a.Ranking != ""
		case RMSE, MAE, R2:
			needs, fits = []string{"value"}, silent || a.Value != ""
		case NDCG:
			needs, fits = []string{"ranking"}, a.Ranking != ""
		}
		if !fits {
			at := child(path, string(g.Metric))
			b.problem(at, RuleContradiction, "%s is measured on the answer's %s; say in predict.answer where that is", shown(at), strings.Join(needs, " or "))
		}
	}
}
