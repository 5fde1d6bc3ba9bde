package policy

type rawPredict struct {
	Protocol   *string           `yaml:"protocol" jsonschema:"default=open-inference,enum=open-inference,enum=open-inference-grpc,enum=tensorflow-serving,enum=mlflow,enum=json" jsonschema_description:"How the model's instances are asked for predictions."`
	Path       *string           `yaml:"path" jsonschema:"pattern=^/" jsonschema_description:"Path to POST to. Default for open-inference: /v2/models/MODEL/infer, tensorflow-serving: /v1/models/MODEL:predict, mlflow: /invocations; required for json."`
	Model      *string           `yaml:"model" jsonschema:"example=fraud" jsonschema_description:"The model's name at its server. Default: metadata.name."`
	Binary     *bool             `yaml:"binary" jsonschema:"default=false" jsonschema_description:"For open-inference: tensors go as raw bytes behind the JSON."`
	Parameters map[string]string `yaml:"parameters" jsonschema_description:"Parameters of every request, for Open Inference and MLflow."`
	Columns    []string          `yaml:"columns" jsonschema:"minItems=1,uniqueItems=true" jsonschema_description:"The data set's columns that the model gets, in this order. Default: every column that neither inputs nor the check names."`
	Inputs     []rawInput        `yaml:"inputs" jsonschema:"minItems=1" jsonschema_description:"Named inputs of the model, made of columns."`
	Format     *string           `yaml:"format" jsonschema:"default=split,enum=split,enum=records,enum=inputs" jsonschema_description:"How MLflow is sent rows."`
	Signature  *string           `yaml:"signature" jsonschema:"example=serving_default" jsonschema_description:"TensorFlow Serving's signature_name. Default: the server's."`
	Request    *string           `yaml:"request" jsonschema_description:"For json: the text of one request with ${column} and ${@row} for the row's values."`
	Answer     *rawAnswer        `yaml:"answer" jsonschema_description:"Where a prediction stands in the answer: names of outputs, for json JSONPaths. Default: the only output."`
	Batch      *int              `yaml:"batch" jsonschema:"default=16,minimum=1,maximum=1024" jsonschema_description:"Rows in one request; always 1 for json."`
	Headers    []rawHeader       `yaml:"headers" jsonschema_description:"Headers (gRPC: metadata) that every prediction carries."`
	Load       *rawLoad          `yaml:"load" jsonschema_description:"What all checks together may send to a color."`
}

type rawInput struct {
	Name     string   `yaml:"name" jsonschema:"required,example=features" jsonschema_description:"Name of the input."`
	Datatype *string  `yaml:"datatype" jsonschema:"default=FP64,enum=BOOL,enum=INT8,enum=INT16,enum=INT32,enum=INT64,enum=UINT8,enum=UINT16,enum=UINT32,enum=UINT64,enum=FP16,enum=FP32,enum=FP64,enum=BYTES" jsonschema_description:"Type of its elements, as Open Inference names them."`
	Columns  []string `yaml:"columns" jsonschema:"minItems=1,uniqueItems=true" jsonschema_description:"The columns that it is made of. Default: the one column with its name."`
}

type rawAnswer struct {
	Label     *string  `yaml:"label" jsonschema_description:"The predicted class."`
	Scores    *string  `yaml:"scores" jsonschema_description:"The positive class's score, or one for each class."`
	Value     *string  `yaml:"value" jsonschema_description:"The predicted number."`
	Ranking   *string  `yaml:"ranking" jsonschema_description:"Items, the best first."`
	Classes   []string `yaml:"classes" jsonschema:"minItems=2,uniqueItems=true" jsonschema_description:"Order of the classes in the scores. Default: 0, 1 and so on."`
	Positive  *string  `yaml:"positive" jsonschema_description:"The class that binary metrics count. Default: the last of classes, else 1."`
	Threshold *number  `yaml:"threshold" jsonschema:"default=0.5" jsonschema_description:"From this score on a row without a label is positive."`
}

type rawHeader struct {
	Name   string     `yaml:"name" jsonschema:"required,example=x-tenant" jsonschema_description:"Name of the header."`
	Value  *string    `yaml:"value" jsonschema_description:"Its value, which is no secret."`
	Secret *rawSecret `yaml:"secret" jsonschema_description:"Where its value is read from, instead of value."`
}

type rawSecret struct {
	Env  *string `yaml:"env" jsonschema:"pattern=^GREENLIGHT_SECRET_[A-Z0-9_]+$,example=GREENLIGHT_SECRET_FRAUD" jsonschema_description:"An environment variable of the server."`
	File *string `yaml:"file" jsonschema:"example=prometheus-token" jsonschema_description:"A file, relative to the server's folder of secrets."`
}

type rawLoad struct {
	Idle *rawCap `yaml:"idle" jsonschema_description:"For the idle color. Default: 16 requests at a time, as many per second as it answers."`
	Live *rawCap `yaml:"live" jsonschema_description:"For the live color, which has users. Default: 4 requests at a time, 100 per second."`
}

type rawCap struct {
	Concurrency *int `yaml:"concurrency" jsonschema:"minimum=1,maximum=1024" jsonschema_description:"Requests at a time."`
	PerSecond   *int `yaml:"perSecond" jsonschema:"minimum=0,maximum=1000000" jsonschema_description:"Requests per second; 0 means no limit."`
}
