package policy

import (
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Rows of a data set.
const (
	defaultRows = 100_000
	maxRows     = 1_000_000
	maxSlices   = 10
)

// dataKinds are the endings of data files that are read.
var dataKinds = []string{".jsonl", ".ndjson", ".csv", ".parquet"}

// data takes the path of a data set.
func (b *builder) data(path, written string) string {
	full := b.named(path, written, "name a "+strings.Join(dataKinds, " or ")+" file, relative to the policy file")
	if full != "" && !slices.Contains(dataKinds, filepath.Ext(full)) {
		b.refuse(path, RuleDataKind, written, "a data file ends with "+strings.Join(dataKinds, " or "))
	}
	return full
}

func (b *builder) quality(path string, predict Predict, raw *rawQuality) *QualityCheck {
	q := &QualityCheck{
		Data:      b.data(path+".data", raw.Data),
		Label:     raw.Label,
		Items:     b.text(path+".items", raw.Items, "", RuleTextSyntax, textFault),
		Rows:      b.count(path+".rows", raw.Rows, defaultRows, 1, maxRows),
		K:         b.count(path+".k", raw.K, 5, 1, 1000),
		SliceRows: b.count(path+".sliceRows", raw.SliceRows, 30, 2, maxRows),
		Gates:     b.gates(path+".gates", orEmpty(raw.Gates)),
	}
	if !b.marks.has(path + ".label") {
		b.require(path+".label", "name the column that holds the truth")
	} else {
		b.refuse(path+".label", RuleTextSyntax, q.Label, textFault(q.Label))
		b.shownTruth(path+".label", q.Label, predict)
	}
	if len(raw.Slices) > maxSlices {
		b.problem(path+".slices", RuleTooLarge, "%s has %d columns; at most %d", shown(path+".slices"), len(raw.Slices), maxSlices)
	} else {
		q.Slices = b.texts(path+".slices", raw.Slices)
	}
	if len(q.Slices) == 0 {
		b.refuseKey(path+".sliceRows", "is for slices, and there are none")
	}
	b.family(path, q)
	b.answered(path+".gates", q, predict.Answer)
	return q
}

// shownTruth refuses a label that the model would be given as an input.
func (b *builder) shownTruth(path, label string, predict Predict) {
	shownIn := ""
	if slices.Contains(predict.Columns, label) {
		shownIn = "predict.columns"
	}
	for _, in := range predict.Inputs {
		if slices.Contains(in.Columns, label) {
			shownIn = "predict.inputs"
		}
	}
	if shownIn != "" {
		b.problem(path, RuleContradiction, "%s = %s; %s sends that column to the model, which would be told the truth", shown(path), short(label), shownIn)
	}
}

// gates are in the order of Metrics, and at least one.
func (b *builder) gates(path string, raw *rawGates) []Gate {
	var gates []Gate
	written := reflect.ValueOf(raw).Elem()
	fields := fieldsOf(written.Type())
	for _, metric := range Metrics {
		gate, _ := written.Field(fields[string(metric)]).Interface().(*rawGate)
		if gate != nil {
			gates = append(gates, b.gate(child(path, string(metric)), metric, gate))
		}
	}
	if len(gates) == 0 {
		b.require(path, "write at least one metric with min, max or notWorseThanLive, like {accuracy: {notWorseThanLive: true}}")
	}
	return gates
}

func (b *builder) gate(path string, metric Metric, raw *rawGate) Gate {
	least, most := -math.MaxFloat64, math.MaxFloat64
	switch {
	case metric.Bounded():
		least, most = 0, 1
	case metric == R2:
		most = 1
	default:
		least = 0
	}
	g := Gate{Metric: metric, Min: b.limit(path+".min", raw.Min, least, most), Max: b.limit(path+".max", raw.Max, least, most)}
	if raw.NotWorse != nil {
		g.NotWorse = b.notWorse(path+".notWorseThanLive", metric, raw.NotWorse)
	}
	switch {
	case g.Min == nil && g.Max == nil && g.NotWorse == nil:
		b.require(path, "write min, max or notWorseThanLive")
	default:
		b.ordered(path, g.Min, g.Max)
	}
	return g
}

// ordered notes a least value above the largest.
func (b *builder) ordered(path string, least, most *float64) {
	if least != nil && most != nil && *least > *most {
		b.problem(path, RuleContradiction, "%s has min = %g above max = %g; no value passes", shown(path), *least, *most)
	}
}

func (b *builder) notWorse(path string, metric Metric, raw *rawNotWorse) *NotWorse {
	most, detect := math.MaxFloat64, 0.1
	if metric.Bounded() || metric == R2 {
		most, detect = 1, 0.03
	}
	return &NotWorse{
		Margin:     b.decimal(path+".margin", raw.Margin, 0, 0, most),
		Confidence: b.confidence(path+".confidence", raw.Confidence),
		Detect:     b.decimal(path+".detect", raw.Detect, detect, 0, 1),
	}
}

func (b *builder) confidence(path string, written *ratio) float64 {
	return b.ratio(path, written, 0.95, 0.5, 0.999)
}
