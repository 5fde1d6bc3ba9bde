package policy

type rawCheck struct {
	Name           *string        `yaml:"name" jsonschema:"pattern=^[a-z0-9]([a-z0-9-]*[a-z0-9])?$,maxLength=63" jsonschema_description:"Name of the check, unique in its list. Default: its kind, numbered from the second on."`
	Timeout        *duration      `yaml:"timeout" jsonschema:"default=30s" jsonschema_description:"Time for the whole check. Default 30s, for golden 2m, for quality, drift and latency 10m."`
	Retries        *int           `yaml:"retries" jsonschema:"minimum=0,maximum=10" jsonschema_description:"How often an inconclusive measurement is made again. Default 0, for prometheus and webhook 2."`
	OnInconclusive *string        `yaml:"onInconclusive" jsonschema:"enum=fail,enum=pass,enum=hold" jsonschema_description:"What an inconclusive verdict means. Default fail in validate, hold elsewhere."`
	Endpoints      *rawEndpoints  `yaml:"endpoints" jsonschema:"oneof_required=endpoints" jsonschema_description:"Asks for a number of ready endpoints."`
	Ready          *rawReady      `yaml:"ready" jsonschema:"oneof_required=ready" jsonschema_description:"Asks every idle endpoint whether it is ready."`
	Golden         *rawGolden     `yaml:"golden" jsonschema:"oneof_required=golden" jsonschema_description:"Sends known requests to every idle endpoint and compares the answers."`
	Quality        *rawQuality    `yaml:"quality" jsonschema:"oneof_required=quality" jsonschema_description:"Runs a labelled data set and judges the predictions by metrics."`
	Drift          *rawDrift      `yaml:"drift" jsonschema:"oneof_required=drift" jsonschema_description:"Compares the distribution of predictions on the same inputs."`
	Latency        *rawLatency    `yaml:"latency" jsonschema:"oneof_required=latency" jsonschema_description:"Replays requests at a steady rate and judges how long they take."`
	Prometheus     *rawPrometheus `yaml:"prometheus" jsonschema:"oneof_required=prometheus" jsonschema_description:"Asks a Prometheus server for a number."`
	Webhook        *rawWebhook    `yaml:"webhook" jsonschema:"oneof_required=webhook" jsonschema_description:"Asks another service for a verdict."`
	Expression     *string        `yaml:"expression" jsonschema:"oneof_required=expression,minLength=1,maxLength=4096,example=latency.p99.ratio < 1.2" jsonschema_description:"CEL over the figures that the other checks measured; passes when it is true."`
}

type rawEndpoints struct {
	Min    *int     `yaml:"min" jsonschema:"default=1,minimum=1" jsonschema_description:"Fewest ready endpoints."`
	OfLive *percent `yaml:"ofLive" jsonschema:"default=100%" jsonschema_description:"Fewest ready endpoints as a share of the live color's."`
}

type rawReady struct {
	Path    *string `yaml:"path" jsonschema:"pattern=^/,example=/v2/health/ready" jsonschema_description:"Path of an HTTP GET; 200 to 299 passes."`
	GRPC    *bool   `yaml:"grpc" jsonschema:"default=false" jsonschema_description:"Ask grpc.health.v1.Health/Check instead."`
	Service *string `yaml:"service" jsonschema_description:"Service to ask the gRPC health of. Default: the whole server."`
}

type rawGolden struct {
	File      string  `yaml:"file" jsonschema:"required,example=fraud.golden.jsonl" jsonschema_description:"JSONL file of requests and expected answers, relative to the policy file."`
	Protocol  *string `yaml:"protocol" jsonschema:"enum=open-inference,enum=open-inference-grpc,enum=tensorflow-serving,enum=mlflow,enum=json" jsonschema_description:"How requests and answers are written. Default: that of predict."`
	Path      *string `yaml:"path" jsonschema:"pattern=^/" jsonschema_description:"Path to POST to unless a case names its own. Default: that of predict if the protocol is the same, else the protocol's; json has none."`
	Tolerance *number `yaml:"tolerance" jsonschema:"default=1e-6" jsonschema_description:"Largest difference of two numbers that still agree, relative to max(1, |expected|)."`
	Absolute  *number `yaml:"absolute" jsonschema_description:"Largest difference of two numbers that still agree."`
	Relative  *number `yaml:"relative" jsonschema_description:"Largest difference of two numbers that still agree, relative to |expected|."`
	ULP       *int    `yaml:"ulp" jsonschema:"minimum=0,maximum=1000000" jsonschema_description:"Most floating-point numbers that may lie between two that still agree."`
	TopK      *int    `yaml:"topK" jsonschema:"minimum=1,maximum=1000" jsonschema_description:"Compare only the first items of rankings. Default: all."`
}

type rawQuality struct {
	Data      string    `yaml:"data" jsonschema:"required,example=holdout.parquet" jsonschema_description:"A .jsonl, .ndjson, .csv or .parquet file with labelled rows, relative to the policy file."`
	Label     string    `yaml:"label" jsonschema:"required,example=is_fraud" jsonschema_description:"The column that holds the truth."`
	Items     *string   `yaml:"items" jsonschema_description:"The column that names the items whose relevance the label lists; for ndcg."`
	Rows      *int      `yaml:"rows" jsonschema:"default=100000,minimum=1,maximum=1000000" jsonschema_description:"Most rows to use; of a longer file an even sample."`
	K         *int      `yaml:"k" jsonschema:"default=5,minimum=1,maximum=1000" jsonschema_description:"The k of topK and ndcg."`
	Slices    []string  `yaml:"slices" jsonschema:"uniqueItems=true,maxItems=10" jsonschema_description:"Columns for each value of which the gates hold too."`
	SliceRows *int      `yaml:"sliceRows" jsonschema:"default=30,minimum=2,maximum=1000000" jsonschema_description:"Rows that a slice must have to be judged."`
	Gates     *rawGates `yaml:"gates" jsonschema:"required" jsonschema_description:"What each metric has to reach; at least one."`
}

// rawGates has one key for each of Metrics.
type rawGates struct {
	Accuracy          *rawGate `yaml:"accuracy" jsonschema_description:"Share of rows with the right label."`
	Precision         *rawGate `yaml:"precision" jsonschema_description:"Precision of the positive class."`
	PrecisionMacro    *rawGate `yaml:"precisionMacro" jsonschema_description:"Mean of the classes' precisions."`
	PrecisionWeighted *rawGate `yaml:"precisionWeighted" jsonschema_description:"Mean of the classes' precisions, weighted by their rows."`
	Recall            *rawGate `yaml:"recall" jsonschema_description:"Recall of the positive class."`
	RecallMacro       *rawGate `yaml:"recallMacro" jsonschema_description:"Mean of the classes' recalls."`
	RecallWeighted    *rawGate `yaml:"recallWeighted" jsonschema_description:"Mean of the classes' recalls, weighted by their rows."`
	F1                *rawGate `yaml:"f1" jsonschema_description:"F1 of the positive class."`
	F1Macro           *rawGate `yaml:"f1Macro" jsonschema_description:"Mean of the classes' F1."`
	F1Weighted        *rawGate `yaml:"f1Weighted" jsonschema_description:"Mean of the classes' F1, weighted by their rows."`
	ROCAUC            *rawGate `yaml:"rocAuc" jsonschema_description:"Area under the ROC curve; of several classes the mean, each against the rest."`
	PRAUC             *rawGate `yaml:"prAuc" jsonschema_description:"Average precision."`
	LogLoss           *rawGate `yaml:"logLoss" jsonschema_description:"Logarithmic loss."`
	Brier             *rawGate `yaml:"brier" jsonschema_description:"Brier score."`
	RMSE              *rawGate `yaml:"rmse" jsonschema_description:"Root mean squared error."`
	MAE               *rawGate `yaml:"mae" jsonschema_description:"Mean absolute error."`
	R2                *rawGate `yaml:"r2" jsonschema_description:"Coefficient of determination."`
	TopK              *rawGate `yaml:"topK" jsonschema_description:"Share of rows whose label is among the k best."`
	NDCG              *rawGate `yaml:"ndcg" jsonschema_description:"Normalized discounted cumulative gain of the k best."`
}

type rawGate struct {
	Min      *number      `yaml:"min" jsonschema_description:"Least value that passes."`
	Max      *number      `yaml:"max" jsonschema_description:"Largest value that passes."`
	NotWorse *rawNotWorse `yaml:"notWorseThanLive" jsonschema_description:"The idle color is not worse than the live one on the same rows; true takes every default."`
}

// rawNotWorse is written as a mapping or as true.
type rawNotWorse struct {
	Margin     *number `yaml:"margin" jsonschema:"default=0" jsonschema_description:"Loss that is accepted, in units of the metric."`
	Confidence *ratio  `yaml:"confidence" jsonschema:"default=95%" jsonschema_description:"Confidence of the interval of the difference, 50% to 99.9%."`
	Detect     *number `yaml:"detect" jsonschema_description:"Loss beyond the margin that must not go unnoticed; 0 asks for nothing. Default 0.03; for logLoss, rmse and mae 0.1 of the live color's value."`
}

type rawDrift struct {
	Data          string       `yaml:"data" jsonschema:"required,example=holdout.parquet" jsonschema_description:"A .jsonl, .ndjson, .csv or .parquet file with inputs, relative to the policy file."`
	Rows          *int         `yaml:"rows" jsonschema:"default=100000,minimum=1,maximum=1000000" jsonschema_description:"Most rows to use; of a longer file an even sample."`
	Bins          *int         `yaml:"bins" jsonschema:"default=10,minimum=2,maximum=100" jsonschema_description:"Bins of equal share of the reference, for psi and jensenShannon of numbers."`
	Baseline      *rawBaseline `yaml:"baseline" jsonschema_description:"Columns of the data that hold stored predictions. Default: the live color is asked."`
	Agreement     *rawShareMin `yaml:"agreement" jsonschema_description:"Share of rows with the same prediction."`
	PSI           *rawMax      `yaml:"psi" jsonschema_description:"Population stability index; without any gate at most 0.2."`
	KS            *rawMax      `yaml:"ks" jsonschema_description:"Kolmogorov-Smirnov statistic, 0 to 1."`
	JensenShannon *rawMax      `yaml:"jensenShannon" jsonschema_description:"Jensen-Shannon distance with base 2, 0 to 1."`
	CramersV      *rawMax      `yaml:"cramersV" jsonschema_description:"Effect size of the chi-square test, 0 to 1."`
}

type rawBaseline struct {
	Label *string `yaml:"label" jsonschema_description:"Column of stored classes."`
	Score *string `yaml:"score" jsonschema_description:"Column of stored scores of the positive class."`
	Value *string `yaml:"value" jsonschema_description:"Column of stored numbers."`
}

type rawShareMin struct {
	Min *ratio `yaml:"min" jsonschema:"required" jsonschema_description:"Least share that passes, 0% to 100%."`
}

type rawMax struct {
	Max *number `yaml:"max" jsonschema:"required" jsonschema_description:"Largest value that passes."`
}

type rawLatency struct {
	Data        *string   `yaml:"data" jsonschema:"example=holdout.parquet" jsonschema_description:"A .jsonl, .ndjson, .csv or .parquet file; its rows are sent as predict says."`
	Requests    *string   `yaml:"requests" jsonschema:"example=recorded.jsonl" jsonschema_description:"Instead of data: a JSONL file of recorded requests, as golden files have them."`
	Count       *int      `yaml:"count" jsonschema:"default=500,minimum=20,maximum=100000" jsonschema_description:"Requests measured per color."`
	Rate        *number   `yaml:"rate" jsonschema:"default=20" jsonschema_description:"Requests that arrive per second, 0.1 to 10000; not more than predict.load allows."`
	For         *duration `yaml:"for" jsonschema:"default=2m" jsonschema_description:"Most time per color."`
	Concurrency *int      `yaml:"concurrency" jsonschema:"default=64,minimum=1,maximum=1024" jsonschema_description:"Most requests in flight."`
	Warmup      *int      `yaml:"warmup" jsonschema:"default=50,minimum=0,maximum=10000" jsonschema_description:"Requests that each color gets before it counts."`
	Confidence  *ratio    `yaml:"confidence" jsonschema:"default=95%" jsonschema_description:"Confidence of the intervals, 50% to 99.9%."`
	P50         *duration `yaml:"p50" jsonschema_description:"Longest median."`
	P50OfLive   *ratio    `yaml:"p50OfLive" jsonschema_description:"Longest median as a share of the live color's."`
	P90         *duration `yaml:"p90" jsonschema_description:"Longest 90% quantile."`
	P90OfLive   *ratio    `yaml:"p90OfLive" jsonschema_description:"Longest 90% quantile as a share of the live color's."`
	P95         *duration `yaml:"p95" jsonschema_description:"Longest 95% quantile."`
	P95OfLive   *ratio    `yaml:"p95OfLive" jsonschema_description:"Longest 95% quantile as a share of the live color's."`
	P99         *duration `yaml:"p99" jsonschema_description:"Longest 99% quantile."`
	P99OfLive   *ratio    `yaml:"p99OfLive" jsonschema_description:"Longest 99% quantile as a share of the live color's; 120% if no quantile is written."`
	Errors      *ratio    `yaml:"errors" jsonschema:"default=0%" jsonschema_description:"Largest share of requests that may fail, 0% to 100%."`
}

type rawPrometheus struct {
	Server string     `yaml:"server" jsonschema:"required,format=uri,example=http://prometheus:9090" jsonschema_description:"URL of the server; its host must be one of --check-hosts."`
	Query  string     `yaml:"query" jsonschema:"required" jsonschema_description:"PromQL that gives one number; $color, $model and $version are replaced."`
	Token  *rawSecret `yaml:"token" jsonschema_description:"Bearer token."`
	Min    *number    `yaml:"min" jsonschema_description:"Least value that passes."`
	Max    *number    `yaml:"max" jsonschema_description:"Largest value that passes."`
	OfLive *ratio     `yaml:"ofLive" jsonschema_description:"Largest value as a share of the live color's; the query must hold $color or $version."`
}

type rawWebhook struct {
	URL    string     `yaml:"url" jsonschema:"required,format=uri,example=https://gate.internal/greenlight" jsonschema_description:"Where the switch and its figures are posted; its host must be one of --check-hosts."`
	Secret *rawSecret `yaml:"secret" jsonschema_description:"Signs the body. Without it the body is unsigned."`
}
