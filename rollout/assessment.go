package rollout

import "time"

// MaxMeasures is how many measures a verdict holds at most.
const MaxMeasures = 64

// Measure is one figure of a check held against one rule. Numbers are finite.
type Measure struct {
	Name string `json:"name"`           // "accuracy", "p99"
	Unit string `json:"unit,omitempty"` // "s" for times, "%" never: shares are 0 to 1
	// Idle is the judged color's value, Live that of the color it is compared
	// with; nil where there is none.
	Idle *float64 `json:"idle,omitempty"`
	Live *float64 `json:"live,omitempty"`
	// Difference is idle - live with its interval, Ratio idle / live.
	Difference *Interval `json:"difference,omitempty"`
	Ratio      *Interval `json:"ratio,omitempty"`
	// PValue is that of the test named in Rule; nil if there was none.
	PValue *float64 `json:"pValue,omitempty"`
	// Rule is what was asked, in words: "at least 0.9", "not worse than live
	// (McNemar, 95%)"; empty for a figure that nothing was asked of.
	Rule   string `json:"rule,omitempty"`
	Result Result `json:"result,omitempty"` // empty without a rule
	// Why says why Result is not pass; empty otherwise.
	Why string `json:"why,omitempty"`
}

// Interval is an estimate with its confidence interval.
type Interval struct {
	Value      float64 `json:"value"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"` // 0 to 1
}

// Detail is what the report of a check shows beyond its verdict.
type Detail struct {
	Slices []Slice  `json:"slices,omitempty"` // worst first; at most 50
	Charts []Chart  `json:"charts,omitempty"`
	Cases  []Case   `json:"cases,omitempty"` // the first disagreements; at most 20
	Notes  []string `json:"notes,omitempty"` // what a reader has to know: samples, rows left out, methods
}

// Slice is one value of one column.
type Slice struct {
	Column   string    `json:"column"`
	Value    string    `json:"value"`
	Rows     int       `json:"rows"`
	Measures []Measure `json:"measures"`
}

// ChartKind is how a chart's series are drawn.
type ChartKind string

// The kinds of charts.
const (
	ChartLine   ChartKind = "line"   // points joined by lines: ROC, quantiles
	ChartPoints ChartKind = "points" // residuals
	ChartBars   ChartKind = "bars"   // X are the left edges of bins, and one right edge more than Y
)

// Chart is one picture.
type Chart struct {
	Title    string    `json:"title"`
	XLabel   string    `json:"xLabel"`
	YLabel   string    `json:"yLabel"`
	Kind     ChartKind `json:"kind"`
	Diagonal bool      `json:"diagonal,omitempty"` // draw y = x for reference
	LogX     bool      `json:"logX,omitempty"`
	Series   []Series  `json:"series"` // at most 4, of at most 512 points each
}

// Series is one line of a chart.
type Series struct {
	Name string    `json:"name"` // "idle", "live"
	X    []float64 `json:"x"`
	Y    []float64 `json:"y"`
}

// Case is one input on which the answers disagree, cut to what a person reads.
type Case struct {
	Where    string `json:"where"` // "holdout.csv:17"
	Input    string `json:"input"`
	Expected string `json:"expected,omitempty"`
	Idle     string `json:"idle,omitempty"`
	Live     string `json:"live,omitempty"`
}

// Assessment is everything that was measured for one switch, or by one
// run of the checks without a switch.
type Assessment struct {
	Model  string    `json:"model"`
	At     time.Time `json:"at"`
	Target Target    `json:"target"`
	// Switch is the switch that was measured for; nil without one.
	Switch *Switch `json:"switch,omitempty"`
	// Stages are in the order in which they ran; without a switch there is one, "check".
	Stages []Stage `json:"stages"`
}

// Target says what was judged, and against what.
type Target struct {
	Idle        string `json:"idle"` // the judged color, "green"
	IdleVersion string `json:"idleVersion,omitempty"`
	Live        string `json:"live"`
	LiveVersion string `json:"liveVersion,omitempty"`
}

// The names of the stages that are no steps; a step's is its weight, "5%".
const (
	StageValidate = "validate"
	StageShadow   = "shadow"
	StageRoute    = "route" // through the fleets' own route, at full weight
	StageBake     = "bake"
	StageCheck    = "check" // a run without a switch
)

// Stage is one set of checks: "validate", "5%" for a step, "bake" or "check".
// Each check is there with its newest verdict, Detail included.
type Stage struct {
	Name     string    `json:"name"`
	Verdicts []Verdict `json:"verdicts"`
}
