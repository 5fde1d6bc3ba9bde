package policy

import "time"

// Check is something measured of a color. Exactly one of the pointers is set.
type Check struct {
	// Name is unique within its list; by default the kind ("golden"), numbered
	// from the second on ("golden-2").
	Name string `json:"name"`
	// Timeout bounds the whole check. Default 30s; golden 2m; quality, drift and
	// latency 10m.
	Timeout time.Duration `json:"timeout"`
	// Retries is how often an inconclusive measurement is made again, with a
	// pause of 1 s, 2 s, 4 s, … before it; 0 to 10. Default 0; prometheus and
	// webhook 2. A failure is never measured again.
	Retries int `json:"retries"`
	// OnInconclusive says what an inconclusive verdict means for the switch.
	// Default: fail in validate, hold at the steps and in the bake.
	OnInconclusive OnInconclusive `json:"onInconclusive"`

	Endpoints  *EndpointsCheck  `json:"endpoints,omitempty"`
	Ready      *ReadyCheck      `json:"ready,omitempty"`
	Golden     *GoldenCheck     `json:"golden,omitempty"`
	Quality    *QualityCheck    `json:"quality,omitempty"`
	Drift      *DriftCheck      `json:"drift,omitempty"`
	Latency    *LatencyCheck    `json:"latency,omitempty"`
	Prometheus *PrometheusCheck `json:"prometheus,omitempty"`
	Webhook    *WebhookCheck    `json:"webhook,omitempty"`
	Expression *ExpressionCheck `json:"expression,omitempty"`
}

// OnInconclusive is what follows when nothing can be said.
type OnInconclusive string

// What an inconclusive verdict may mean.
const (
	InconclusiveFails  OnInconclusive = "fail" // as if the check had failed
	InconclusivePasses OnInconclusive = "pass" // as if it had passed
	InconclusiveHolds  OnInconclusive = "hold" // the switch stops there and asks for a person
)

// Kinds lists the kinds of checks, in the order in which documents name them.
var Kinds = [...]string{
	"endpoints", "ready", "golden", "quality", "drift", "latency", "prometheus", "webhook", "expression",
}

// Kind is the check's key in a policy file.
func (c Check) Kind() string {
	for i, set := range [...]bool{
		c.Endpoints != nil, c.Ready != nil, c.Golden != nil, c.Quality != nil, c.Drift != nil,
		c.Latency != nil, c.Prometheus != nil, c.Webhook != nil, c.Expression != nil,
	} {
		if set {
			return Kinds[i]
		}
	}
	return ""
}

// EndpointsCheck asks for a number of ready endpoints: at least Min, and at
// least OfLive of the number that the live color has (rounded up).
type EndpointsCheck struct {
	Min    int    `json:"min"`    // at least 1; default 1
	OfLive Weight `json:"ofLive"` // default 100%
}

// ReadyCheck asks every idle endpoint whether it is ready: with an HTTP GET of
// Path (200–299 passes), or, if GRPC is set, with grpc.health.v1.Health/Check of Service.
type ReadyCheck struct {
	Path    string `json:"path,omitempty"`
	GRPC    bool   `json:"grpc,omitempty"`
	Service string `json:"service,omitempty"`
}

// GoldenCheck sends known requests to every idle endpoint and compares answers.
type GoldenCheck struct {
	// File is the JSONL file's path as the process can open it.
	File string `json:"file"`
	// Protocol is how requests and answers are written. Default: Predict's.
	Protocol PredictProtocol `json:"protocol"`
	// Path is what is POSTed to unless a case names its own. Default: Predict's
	// if the protocol is the same, else the protocol's.
	Path string `json:"path"`
	// Two numbers agree if one of these says so: |expected-got| is at most
	// Tolerance * max(1, |expected|), or at most Absolute, or at most Relative *
	// |expected|, or at most ULP steps of the answer's floating-point type lie
	// between them. Default: Tolerance 1e-6; if one of the others is written,
	// those that are not are 0.
	Tolerance float64 `json:"tolerance"`
	Absolute  float64 `json:"absolute,omitempty"`
	Relative  float64 `json:"relative,omitempty"`
	ULP       int     `json:"ulp,omitempty"`
	// TopK compares only the first TopK items of rankings; 0 compares all.
	TopK int `json:"topK,omitempty"`
}

// QualityCheck runs a labelled data set against the idle and the live color.
type QualityCheck struct {
	// Data is a .jsonl, .csv or .parquet file's path as the process can open it.
	Data string `json:"data"`
	// Label is the column that holds the truth: a class, a number, or for ndcg
	// the relevance of each item of Items.
	Label string `json:"label"`
	// Items is the column that names the items whose relevance Label lists; for ndcg.
	Items string `json:"items,omitempty"`
	// Rows is how many rows are used at most; of a longer file an even sample,
	// always the same. 1 to 1,000,000; default 100,000.
	Rows int `json:"rows"`
	// K is the k of topK and ndcg, 1 to 1000. Default 5.
	K     int    `json:"k"`
	Gates []Gate `json:"gates"` // at least one, in the order of Metrics
	// Slices are columns: the gates hold for every value of each.
	Slices []string `json:"slices,omitempty"`
	// SliceRows is how many rows a slice must have to be judged; default 30.
	SliceRows int `json:"sliceRows"`
}

// NeedsLive reports whether a gate compares with the live color.
func (q *QualityCheck) NeedsLive() bool {
	for _, g := range q.Gates {
		if g.NotWorse != nil {
			return true
		}
	}
	return false
}

// Metric names a quality metric, as policies and expressions write it.
type Metric string

// The quality metrics. Precision, recall and F1 without a suffix are binary:
// of the class Answer.Positive.
const (
	Accuracy          Metric = "accuracy"
	Precision         Metric = "precision"
	PrecisionMacro    Metric = "precisionMacro"
	PrecisionWeighted Metric = "precisionWeighted"
	Recall            Metric = "recall"
	RecallMacro       Metric = "recallMacro"
	RecallWeighted    Metric = "recallWeighted"
	F1                Metric = "f1"
	F1Macro           Metric = "f1Macro"
	F1Weighted        Metric = "f1Weighted"
	ROCAUC            Metric = "rocAuc" // binary, or macro one-vs-rest
	PRAUC             Metric = "prAuc"  // average precision
	LogLoss           Metric = "logLoss"
	Brier             Metric = "brier"
	RMSE              Metric = "rmse"
	MAE               Metric = "mae"
	R2                Metric = "r2"
	TopK              Metric = "topK"
	NDCG              Metric = "ndcg"
)

// Metrics lists all quality metrics.
var Metrics = [...]Metric{
	Accuracy, Precision, PrecisionMacro, PrecisionWeighted, Recall, RecallMacro, RecallWeighted,
	F1, F1Macro, F1Weighted, ROCAUC, PRAUC, LogLoss, Brier, RMSE, MAE, R2, TopK, NDCG,
}

// LowerIsBetter reports whether a small value is a good one.
func (m Metric) LowerIsBetter() bool {
	return m == LogLoss || m == Brier || m == RMSE || m == MAE
}

// Bounded reports whether the metric lies between 0 and 1.
func (m Metric) Bounded() bool { return m != LogLoss && m != RMSE && m != MAE && m != R2 }

// Gate is what one metric has to reach.
type Gate struct {
	Metric   Metric    `json:"metric"`
	Min      *float64  `json:"min,omitempty"`
	Max      *float64  `json:"max,omitempty"`
	NotWorse *NotWorse `json:"notWorseThanLive,omitempty"`
}

// NotWorse asks that the idle color is not worse than the live one on the same
// rows. It fails when the whole interval of the difference lies beyond Margin
// on the bad side; it is inconclusive when the interval reaches further than
// Margin + Detect on that side: then the data can't show that no such loss is there.
type NotWorse struct {
	// Margin is the loss that is accepted, in units of the metric. Default 0.
	Margin float64 `json:"margin"`
	// Confidence of the two-sided interval of the difference, 50% to 99.9%. Default 95%.
	Confidence float64 `json:"confidence"` // 0 to 1
	// Detect is the loss, beyond Margin, that must not go unnoticed: in units of
	// the metric where it lies between 0 and 1 (default 0.03), else as a share
	// of the live color's value (default 0.1; for r2 in units, 0.03). 0 asks for nothing.
	Detect float64 `json:"detect"`
}

// DriftCheck compares the distribution of the idle color's predictions with
// the live color's, or with a stored baseline, on the same inputs.
type DriftCheck struct {
	Data string `json:"data"` // as QualityCheck.Data
	Rows int    `json:"rows"` // as QualityCheck.Rows
	// Baseline holds the columns of Data that hold stored predictions; nil asks the live color.
	Baseline *Baseline `json:"baseline,omitempty"`
	// Bins is how many bins of equal share of the reference PSI and Jensen–Shannon
	// use for numbers, 2 to 100. Default 10.
	Bins int `json:"bins"`
	// The gates; at least one. Default: PSI at most 0.2.
	Agreement     *float64 `json:"agreement,omitempty"`     // least share of rows with the same label (numbers: within 1e-6), 0 to 1
	PSI           *float64 `json:"psi,omitempty"`           // largest population stability index
	KS            *float64 `json:"ks,omitempty"`            // largest Kolmogorov–Smirnov statistic, 0 to 1
	JensenShannon *float64 `json:"jensenShannon,omitempty"` // largest Jensen–Shannon distance (base 2), 0 to 1
	CramersV      *float64 `json:"cramersV,omitempty"`      // largest effect size of the chi-square test, 0 to 1
}

// Baseline names columns with stored predictions; at least one is set.
type Baseline struct {
	Label string `json:"label,omitempty"`
	Score string `json:"score,omitempty"` // of the positive class
	Value string `json:"value,omitempty"`
}

// LatencyCheck replays requests at a steady rate against both colors in turn.
type LatencyCheck struct {
	// Exactly one of Data (rows, sent as Predict says) and Requests (JSONL with
	// "request" and "path", as golden files) is set.
	Data     string `json:"data,omitempty"`
	Requests string `json:"requests,omitempty"`
	// Count is how many requests are measured per color, 20 to 100,000. Default 500.
	Count int `json:"count"`
	// Rate is how many requests arrive per second, whatever became of those
	// before, 0.1 to 10,000. Default 20. Not above Load.Live.PerSecond.
	Rate float64 `json:"rate"`
	// For bounds the time per color. Default 2m.
	For time.Duration `json:"for"`
	// Concurrency bounds the requests in flight; one that has to wait for
	// others waits on its own account. Default 64.
	Concurrency int `json:"concurrency"`
	// Warmup is how many requests each color gets before it counts. Default 50.
	Warmup int `json:"warmup"`
	// Confidence of the intervals. Default 95%.
	Confidence float64 `json:"confidence"` // 0 to 1
	// Gates; at least one. Default: p99 at most 120% of live's, and no errors.
	Quantiles []QuantileGate `json:"quantiles"`
	// Errors is the largest share of requests that may fail, 0 to 1. Default 0.
	Errors float64 `json:"errors"`
}

// NeedsLive reports whether a gate compares with the live color.
func (l *LatencyCheck) NeedsLive() bool {
	for _, q := range l.Quantiles {
		if q.OfLive > 0 {
			return true
		}
	}
	return false
}

// QuantileGate bounds one quantile of the latency.
type QuantileGate struct {
	Quantile float64       `json:"quantile"`         // 0.5, 0.9, 0.95 or 0.99
	Max      time.Duration `json:"max,omitempty"`    // 0 means no such bound
	OfLive   float64       `json:"ofLive,omitempty"` // 1.2 for 120%; 0 means no such bound
}

// PrometheusCheck asks a Prometheus server for a number.
type PrometheusCheck struct {
	Server string `json:"server"` // URL; its host must be allowed by the server's configuration
	// Query is PromQL that gives one number. $color, $model and $version in it
	// are replaced. With OfLive it must hold $color or $version and is asked for both colors.
	Query string  `json:"query"`
	Token *Secret `json:"token,omitempty"` // bearer token
	// The gates; at least one.
	Min    *float64 `json:"min,omitempty"`
	Max    *float64 `json:"max,omitempty"`
	OfLive *float64 `json:"ofLive,omitempty"` // at most this share of live's value: 1.2 for 120%
}

// WebhookCheck asks another service for a verdict.
type WebhookCheck struct {
	URL string `json:"url"` // its host must be allowed by the server's configuration
	// Secret signs the body (HMAC-SHA256); nil leaves it unsigned.
	Secret *Secret `json:"secret,omitempty"`
}

// ExpressionCheck passes when a CEL expression over the figures that were
// measured so far is true. A figure's name is CHECK.FIGURE, with "_" for "-".
type ExpressionCheck struct {
	Text string `json:"text"`
	// Uses lists the figures that Text refers to, sorted.
	Uses []string `json:"uses"`
}
