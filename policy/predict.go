package policy

// PredictProtocol is how an instance is asked for predictions.
type PredictProtocol string

// The prediction protocols.
const (
	// OpenInference is the Open Inference Protocol (KServe V2) over HTTP.
	OpenInference PredictProtocol = "open-inference"
	// OpenInferenceGRPC is the same over gRPC (inference.GRPCInferenceService).
	OpenInferenceGRPC PredictProtocol = "open-inference-grpc"
	// TensorFlowServing is TensorFlow Serving's REST predict API, row format.
	TensorFlowServing PredictProtocol = "tensorflow-serving"
	// MLflow is the scoring server's /invocations.
	MLflow PredictProtocol = "mlflow"
	// PlainJSON is any JSON API, by a request template and result paths.
	PlainJSON PredictProtocol = "json"
)

// Predict says how predictions are asked of the model's instances. A policy
// says it once, for all checks that send predictions.
type Predict struct {
	Protocol PredictProtocol `json:"protocol"` // default open-inference
	// Path is what is POSTed to. Defaults: open-inference /v2/models/NAME/infer,
	// tensorflow-serving /v1/models/NAME:predict, mlflow /invocations; required
	// for json; empty for open-inference-grpc. NAME is Model.
	Path string `json:"path,omitempty"`
	// Model is the model's name at its server. Default: metadata.name.
	Model string `json:"model"`
	// Binary: tensors go both ways as raw bytes behind the JSON (the binary
	// tensor extension). Only for open-inference; gRPC always uses raw contents.
	Binary bool `json:"binary,omitempty"`
	// Parameters go into the request of Open Inference ("content_type": "pd") and
	// of MLflow ("params").
	Parameters map[string]string `json:"parameters,omitempty"`
	// Columns are the data set's columns that the model gets, in this order.
	// Default: every column that is neither in Inputs nor Reserved.
	Columns []string `json:"columns,omitempty"`
	// Reserved are the columns that the policy's checks use themselves (labels,
	// slices, items, baselines), sorted: they are not sent unless Columns or
	// Inputs name them. It follows from the checks; nobody writes it.
	Reserved []string `json:"reserved,omitempty"`
	// Inputs are named inputs. Default: Open Inference, one FP64 tensor "input"
	// of shape [rows, columns]; TensorFlow Serving, one list of numbers per row;
	// MLflow, Columns.
	Inputs []Input `json:"inputs,omitempty"`
	// Format is how MLflow is sent rows. Default split.
	Format MLflowFormat `json:"format,omitempty"`
	// Signature is TensorFlow Serving's signature_name; empty: the server's default.
	Signature string `json:"signature,omitempty"`
	// Request is the JSON text of one request, for json: a string "${column}" in
	// it becomes the column's value with its type, "${column}" within a longer
	// string its text, and "${@row}" the whole row as an object.
	Request string `json:"request,omitempty"`
	Answer  Answer `json:"answer"`
	// Batch is how many rows one request carries: 1 to 1024. Default 16; json: always 1.
	Batch   int      `json:"batch"`
	Headers []Header `json:"headers,omitempty"`
	Load    Load     `json:"load"`
}

// MLflowFormat is one of the ways in which MLflow takes rows.
type MLflowFormat string

// MLflow's formats.
const (
	MLflowSplit   MLflowFormat = "split"   // dataframe_split
	MLflowRecords MLflowFormat = "records" // dataframe_records
	MLflowInputs  MLflowFormat = "inputs"  // inputs: named columns as tensors
)

// Input is one named input of the model, made of one or more columns.
type Input struct {
	Name string `json:"name"`
	// Datatype is Open Inference's: BOOL, INT8 … INT64, UINT8 … UINT64, FP16,
	// FP32, FP64, BYTES. Default FP64.
	Datatype string   `json:"datatype"`
	Columns  []string `json:"columns"` // default: the one column with the input's name
}

// Answer says where a row's prediction stands in the answer. For Open Inference
// the words are names of output tensors; for TensorFlow Serving and MLflow they
// are keys of a row's prediction; for json they are JSONPaths (RFC 9535) into
// the answer. All empty: the only output; a number or a word per row is label
// and value, a list per row is the scores.
type Answer struct {
	Label   string `json:"label,omitempty"`   // the predicted class
	Scores  string `json:"scores,omitempty"`  // one number (that of the positive class), or one per class
	Value   string `json:"value,omitempty"`   // the predicted number
	Ranking string `json:"ranking,omitempty"` // items, best first
	// Classes is the order of the classes in Scores. Default: "0", "1", …
	Classes []string `json:"classes,omitempty"`
	// Positive is the class that binary metrics count. Default: the last of
	// Classes, else "1".
	Positive string `json:"positive"`
	// Threshold makes a label of one score where no label is given: positive
	// from here on. Default 0.5. Several scores: the largest one's class.
	Threshold float64 `json:"threshold"`
}

// Header is a header (gRPC: metadata) that every prediction carries.
type Header struct {
	Name   string  `json:"name"`
	Value  string  `json:"value,omitempty"`
	Secret *Secret `json:"secret,omitempty"` // instead of Value
}

// Secret refers to a secret; the secret itself never stands in a policy. Which
// ones a policy may name, the server's configuration says.
type Secret struct {
	Env  string `json:"env,omitempty"`  // an environment variable of the server
	File string `json:"file,omitempty"` // a file, relative to the server's folder of secrets
}

// Load caps what all checks of one run together may send to a color.
type Load struct {
	Idle Cap `json:"idle"` // default: 16 at a time, no limit per second
	Live Cap `json:"live"` // default: 4 at a time, 100 per second: users are there
}

// Cap bounds requests to one color.
type Cap struct {
	Concurrency int `json:"concurrency"` // requests at a time, 1 to 1024
	PerSecond   int `json:"perSecond"`   // requests per second; 0 means no limit
}
