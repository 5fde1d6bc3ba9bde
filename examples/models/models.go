// Package models holds the example model "tumor": three trained versions of it,
// and known answers to hold them against.
//
// The coefficients come from train.py, which fits them on the breast cancer
// data that scikit-learn ships. Two versions are good and agree with each
// other; the third one was trained on shuffled labels.
package models

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
)

// Name is the name of the model that all versions are versions of.
const Name = "tumor"

// The versions, in the order in which they were "released".
const (
	Good  = "2026-10-01"
	Equal = "2026-11-01"     // as good as Good: their labels agree on every golden case
	Bad   = "2026-11-08-bad" // no better than chance
)

// GoldenFile is the name of the golden file, and GoldenPath where it is kept
// in the repository.
const (
	GoldenFile = "tumor.golden.jsonl"
	GoldenPath = "examples/models/" + GoldenFile
)

// Tolerance is what a golden check of this model should allow: the good
// versions' probabilities are closer than this, the bad one's are not.
const Tolerance = 0.05

//go:embed versions/*.json
var versions embed.FS

//go:embed tumor.golden.jsonl
var golden []byte

// Golden returns the golden file's bytes: held-out rows with Good's answers.
func Golden() []byte { return slices.Clone(golden) }

// Model is one trained version: a standard scaler before a logistic regression.
type Model struct {
	Name         string    `json:"name"`
	Version      string    `json:"version"`
	TrainedOn    string    `json:"trainedOn"`
	TestAccuracy float64   `json:"testAccuracy"` // on rows that it was not trained on
	Classes      []string  `json:"classes"`      // by label
	Features     []string  `json:"features"`
	Mean         []float64 `json:"mean"`
	Scale        []float64 `json:"scale"`
	Coef         []float64 `json:"coef"`
	Intercept    float64   `json:"intercept"`
}

// Versions lists the embedded versions, sorted.
func Versions() []string {
	files, err := fs.Glob(versions, "versions/*.json")
	if err != nil {
		return nil // the pattern is constant and well formed
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(f, "versions/"), ".json")
	}
	return files
}

// Load returns an embedded version.
func Load(version string) (*Model, error) {
	b, err := versions.ReadFile("versions/" + version + ".json")
	if err != nil {
		return nil, fmt.Errorf("load model %s: no version %q; there are %s", Name, version, strings.Join(Versions(), ", "))
	}
	return Parse(b)
}

// Parse reads a version in the form that train.py writes.
func Parse(b []byte) (*Model, error) {
	var m Model
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("parse model: %w", err)
	}
	n := len(m.Features)
	if n == 0 || len(m.Mean) != n || len(m.Scale) != n || len(m.Coef) != n {
		return nil, fmt.Errorf("parse model: %d features need as many means, scales and coefficients; got %d, %d and %d",
			n, len(m.Mean), len(m.Scale), len(m.Coef))
	}
	if slices.Contains(m.Scale, 0) {
		return nil, fmt.Errorf("parse model: a scale is 0; leave out the feature that never varies")
	}
	return &m, nil
}

// Predict returns the probability of label 1 and the more likely label. It
// needs one value per feature; a wrong number of them gives NaN and label 0.
func (m *Model) Predict(features []float64) (probability float64, label int) {
	if len(features) != len(m.Coef) {
		return math.NaN(), 0
	}
	z := m.Intercept
	for i, x := range features {
		z += m.Coef[i] * (x - m.Mean[i]) / m.Scale[i]
	}
	if z > 0 {
		label = 1
	}
	return 1 / (1 + math.Exp(-z)), label
}
