package predict

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"greenlight/check/dataset"
	"greenlight/policy"
)

// Positive is the score of the positive class; false if there is none.
func (p Prediction) Positive(a policy.Answer) (float64, bool) {
	if len(p.Scores) == 1 {
		return p.Scores[0], true
	}
	i := slices.Index(Classes(a, len(p.Scores)), positive(a))
	if i < 0 {
		return 0, false
	}
	return p.Scores[i], true
}

// Classes is the names of n scores: the policy's if it names n, for one score
// the positive class's, else "0", "1", ….
func Classes(a policy.Answer, n int) []string {
	if len(a.Classes) == n {
		return a.Classes
	}
	if n == 1 {
		return []string{positive(a)}
	}
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}

func positive(a policy.Answer) string {
	switch {
	case a.Positive != "":
		return a.Positive
	case len(a.Classes) > 0:
		return a.Classes[len(a.Classes)-1]
	default:
		return "1"
	}
}

// negative is the other one of two classes.
func negative(a policy.Answer) string {
	if len(a.Classes) == 2 && a.Classes[0] == positive(a) {
		return a.Classes[1]
	}
	if len(a.Classes) == 2 {
		return a.Classes[0]
	}
	if positive(a) == "0" {
		return "1"
	}
	return "0"
}

// setScores takes scores over, and makes the label of them if there is none.
func (p *Prediction) setScores(a policy.Answer, scores []float64) error {
	if len(scores) == 0 {
		return errors.New("an empty list of scores")
	}
	if n := len(a.Classes); n > 0 && len(scores) != n && (len(scores) != 1 || n != 2) {
		return fmt.Errorf("%d scores for the %d classes of the policy", len(scores), n)
	}
	p.Scores = scores
	if p.Label != "" || a.Label != "" {
		return nil
	}
	if len(scores) == 1 {
		p.Label = negative(a)
		if scores[0] >= a.Threshold {
			p.Label = positive(a)
		}
		return nil
	}
	best := 0
	for i, s := range scores {
		if s > scores[best] {
			best = i
		}
	}
	if len(a.Classes) > 0 {
		p.Label = a.Classes[best]
	} else {
		p.Label = strconv.Itoa(best)
	}
	return nil
}

// setNumber takes a lone number over, which is label and value.
func (p *Prediction) setNumber(f float64) {
	p.Value, p.HasValue, p.Label = f, true, numberText(f)
}

// numberText writes a number as data sets write labels.
func numberText(f float64) string {
	s, _ := dataset.Value{Kind: dataset.Float, Float: f}.Text()
	return s
}

func finite(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("%v, which is no number", f)
	}
	return nil
}

// part is one of the things that the policy looks for in an answer.
type part struct {
	what, name string
	take       func(p *Prediction, a policy.Answer, v raw) error
}

// parts are what a names, in an order in which a label comes before scores.
func parts(a policy.Answer) []part {
	var named []part
	for _, p := range []part{
		{"label", a.Label, takeLabel}, {"value", a.Value, takeValue},
		{"ranking", a.Ranking, takeRanking}, {"scores", a.Scores, takeScores},
	} {
		if p.name != "" {
			named = append(named, p)
		}
	}
	return named
}

// readRow reads what a server answered for one row, in JSON.
func readRow(v raw, a policy.Answer, named []part) (Prediction, error) {
	var p Prediction
	if len(named) == 0 {
		return p, takeAny(&p, a, v)
	}
	if v.kind() != '{' {
		if len(named) > 1 {
			return p, fmt.Errorf("%s where an object with %s should be", v.described(), namesOf(named))
		}
		return p, take(named[0], &p, a, v)
	}
	found := make([]raw, len(named))
	var keys []string
	_ = v.members(func(key string, value raw) error {
		keys = append(keys, key)
		for i := range named {
			if named[i].name == key {
				found[i] = value
			}
		}
		return nil
	})
	for i := range named {
		if found[i] == nil {
			return p, fmt.Errorf("no %q; the prediction has %s", named[i].name, Shorten(fmt.Sprintf("%q", keys)))
		}
		if err := take(named[i], &p, a, found[i]); err != nil {
			return p, err
		}
	}
	return p, nil
}

func take(which part, p *Prediction, a policy.Answer, v raw) error {
	if err := which.take(p, a, v); err != nil {
		return fmt.Errorf("%s: %w", which.name, err)
	}
	return nil
}

func namesOf(named []part) string {
	names := make([]string, len(named))
	for i := range named {
		names[i] = named[i].name
	}
	return fmt.Sprintf("%q", names)
}

// takeAny reads the only thing that a prediction holds.
func takeAny(p *Prediction, a policy.Answer, v raw) error {
	switch v.kind() {
	case '[':
		return takeScores(p, a, v)
	case '{':
		only, n := raw(nil), 0
		_ = v.members(func(_ string, value raw) error {
			only, n = value, n+1
			return nil
		})
		if n != 1 || only.kind() == '{' {
			return fmt.Errorf("an object of %d keys; name in predict.answer where the prediction stands", n)
		}
		return takeAny(p, a, only)
	case '0':
		f, err := v.number()
		if err != nil {
			return err
		}
		p.setNumber(f)
		p.Label, err = labelText(v)
		return err
	default:
		return takeLabel(p, a, v)
	}
}

func takeLabel(p *Prediction, _ policy.Answer, v raw) (err error) {
	p.Label, err = labelText(alone(v))
	return err
}

func takeValue(p *Prediction, _ policy.Answer, v raw) (err error) {
	p.Value, err = alone(v).number()
	p.HasValue = err == nil
	return err
}

func takeRanking(p *Prediction, _ policy.Answer, v raw) error {
	if v.kind() != '[' {
		return fmt.Errorf("%s where a list of items should be", v.described())
	}
	p.Ranking = []string{}
	return v.elements(func(item raw) error {
		s, err := labelText(item)
		p.Ranking = append(p.Ranking, s)
		return err
	})
}

func takeScores(p *Prediction, a policy.Answer, v raw) error {
	if v.kind() != '[' {
		f, err := v.number()
		if err != nil {
			return err
		}
		return p.setScores(a, []float64{f})
	}
	if inner := alone(v); inner.kind() == '[' {
		v = inner // [[0.1, 0.9]]
	}
	var scores []float64
	err := v.elements(func(e raw) error {
		f, err := e.number()
		scores = append(scores, f)
		return err
	})
	if err != nil {
		return err
	}
	return p.setScores(a, scores)
}

// alone is the only element of a list that has just one, else v itself.
func alone(v raw) raw {
	only, n := v, 0
	_ = v.elements(func(e raw) error {
		only, n = e, n+1
		if n > 1 {
			return errors.New("enough")
		}
		return nil
	})
	if n == 1 {
		return only
	}
	return v
}

// labelText is a label as data sets write it.
func labelText(v raw) (string, error) {
	switch v.kind() {
	case '"':
		s := v.text()
		if isNonFinite(s) {
			return "", fmt.Errorf("%s is no label", s)
		}
		if s == "" {
			return "", errors.New("an empty label")
		}
		return s, nil
	case 't':
		return string(v), nil
	case '0':
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return strconv.FormatInt(i, 10), nil
		}
		f, err := v.number()
		return numberText(f), err
	default:
		return "", fmt.Errorf("%s where a label should be", v.described())
	}
}

// readRows reads a list of n predictions.
func readRows(list raw, n int, a policy.Answer) ([]Prediction, error) {
	if list.kind() != '[' {
		return nil, fmt.Errorf("predictions are %s; must be a list with one per row", list.described())
	}
	all := make([]Prediction, 0, n)
	named := parts(a)
	err := list.elements(func(v raw) error {
		if len(all) == n {
			return fmt.Errorf("more predictions than the %d rows that were sent", n)
		}
		p, err := readRow(v, a, named)
		if err != nil {
			return fmt.Errorf("prediction %d: %w", len(all), err)
		}
		all = append(all, p)
		return nil
	})
	if err == nil && len(all) < n {
		err = fmt.Errorf("%d predictions for the %d rows that were sent", len(all), n)
	}
	if err != nil {
		return nil, err
	}
	return all, even(all)
}

// even refuses predictions with different numbers of scores.
func even(all []Prediction) error {
	for i := range all {
		if len(all[i].Scores) != len(all[0].Scores) {
			return fmt.Errorf("prediction %d has %d scores, prediction 0 has %d", i, len(all[i].Scores), len(all[0].Scores))
		}
	}
	return nil
}

// refusal is the error that an answer with a good status holds instead of what
// was asked for; nil if it holds none.
func refusal(body raw) error {
	var said error
	_ = body.members(func(key string, v raw) error {
		if key == "error" && v.kind() != 'n' {
			said = errors.New("an error in an answer with a good status")
		}
		return nil
	})
	return said
}
