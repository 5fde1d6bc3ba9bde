package models_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"greenlight/examples/models"
)

type goldenLine struct {
	Name    string
	Request struct {
		Inputs []struct {
			Shape []int
			Data  []float64
		}
	}
	Expect struct{ Outputs []struct{ Data []float64 } }
}

func goldenLines(t *testing.T) []goldenLine {
	t.Helper()
	var lines []goldenLine
	for _, b := range bytes.Split(bytes.TrimSpace(models.Golden()), []byte("\n")) {
		var l goldenLine
		if err := json.Unmarshal(b, &l); err != nil {
			t.Fatalf("line %d: %v", len(lines)+1, err)
		}
		lines = append(lines, l)
	}
	if len(lines) < 20 {
		t.Fatalf("only %d golden cases", len(lines))
	}
	return lines
}

// The golden file and testdata/predictions.json are written by scikit-learn.
func TestPredictionsEqualScikitLearns(t *testing.T) {
	b, err := os.ReadFile("testdata/predictions.json")
	if err != nil {
		t.Fatal(err)
	}
	var predictions map[string][]float64
	if err := json.Unmarshal(b, &predictions); err != nil {
		t.Fatal(err)
	}
	lines := goldenLines(t)
	for _, version := range models.Versions() {
		m, err := models.Load(version)
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range lines {
			got, label := m.Predict(l.Request.Inputs[0].Data)
			want := predictions[version][i]
			if math.Abs(got-want) > 1e-9 || (label == 1) != (want > 0.5) {
				t.Errorf("%s %s: %v, label %d; scikit-learn says %v", version, l.Name, got, label, want)
			}
		}
	}
}

func TestGoodVersionsMeetTheGoldenFileAndTheBadOneDoesNot(t *testing.T) {
	lines := goldenLines(t)
	for version, want := range map[string]bool{models.Good: true, models.Equal: true, models.Bad: false} {
		m, err := models.Load(version)
		if err != nil {
			t.Fatal(err)
		}
		wrong := 0
		for _, l := range lines {
			p, label := m.Predict(l.Request.Inputs[0].Data)
			if math.Abs(p-l.Expect.Outputs[0].Data[0]) > models.Tolerance || float64(label) != l.Expect.Outputs[1].Data[0] {
				wrong++
			}
		}
		if want && wrong > 0 || !want && wrong < len(lines)/2 {
			t.Errorf("%s: %d of %d golden answers are off", version, wrong, len(lines))
		}
		if good := m.TestAccuracy > 0.9; good != want {
			t.Errorf("%s has a test accuracy of %v", version, m.TestAccuracy)
		}
	}
}

func TestVersions(t *testing.T) {
	if want := []string{models.Good, models.Equal, models.Bad}; !slices.Equal(models.Versions(), want) {
		t.Errorf("versions %v, want %v", models.Versions(), want)
	}
	for _, v := range models.Versions() {
		if m, err := models.Load(v); err != nil || m.Version != v || m.Name != models.Name {
			t.Errorf("load %s: %+v, %v", v, m, err)
		}
	}
	for _, v := range []string{"", "2020-01-01", "../models"} {
		if _, err := models.Load(v); err == nil || !strings.Contains(err.Error(), "there are "+models.Good) {
			t.Errorf("load %q: %v", v, err)
		}
	}
}

func TestGoldenIsACopyOfTheFileAtGoldenPath(t *testing.T) {
	b, err := os.ReadFile("../../" + models.GoldenPath)
	if err != nil || !bytes.Equal(b, models.Golden()) {
		t.Errorf("%s differs from Golden(): %v", models.GoldenPath, err)
	}
	models.Golden()[0] = 'x'
	if models.Golden()[0] == 'x' {
		t.Error("a caller can change the golden bytes")
	}
}

func TestParseRefuses(t *testing.T) {
	for in, want := range map[string]string{
		`{`:                  "parse model: unexpected end",
		`{}`:                 "0 features need",
		`{"features":["a"]}`: "1 features need as many means, scales and coefficients; got 0, 0 and 0",
		`{"features":["a"],"mean":[1],"scale":[0],"coef":[1]}`: "a scale is 0",
	} {
		if _, err := models.Parse([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parse %s: %v, want %s", in, err, want)
		}
	}
}

func TestPredictIsAProbability(t *testing.T) {
	m, err := models.Load(models.Good)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), len(m.Features), len(m.Features)).Draw(t, "x")
		p, label := m.Predict(x)
		if !(p >= 0 && p <= 1) || label == 1 && p < 0.5 || label == 0 && p > 0.5 {
			t.Fatalf("probability %v, label %d", p, label)
		}
	})
	if p, label := m.Predict([]float64{1}); !math.IsNaN(p) || label != 0 {
		t.Errorf("too few features give %v, %d", p, label)
	}
}
