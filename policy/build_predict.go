package policy

import (
	"slices"
	"strings"

	"github.com/theory/jsonpath"
)

// Rows in one request.
const (
	defaultBatch = 16
	maxBatch     = 1024
)

// predict is how predictions are asked for. Every default is filled in, also
// for a policy that says nothing of it.
func (b *builder) predict(model string, raw *rawPredict) Predict {
	const path = "spec.predict"
	if raw == nil {
		raw = &rawPredict{}
	}
	p := Predict{
		Protocol: PredictProtocol(b.choice(path+".protocol", raw.Protocol, string(OpenInference), predictProtocols...)),
		Model:    b.text(path+".model", raw.Model, model, RuleNameSyntax, foreignFault),
		Binary:   truth(raw.Binary, false),
		Columns:  b.texts(path+".columns", raw.Columns),
		Inputs:   b.inputs(path+".inputs", raw.Inputs),
		Batch:    b.count(path+".batch", raw.Batch, defaultBatch, 1, maxBatch),
		Headers:  b.headers(path+".headers", raw.Headers),
		Load:     b.load(path+".load", orEmpty(raw.Load)),
	}
	p.Signature = b.text(path+".signature", raw.Signature, "", RuleTextSyntax, textFault)
	if raw.Path != nil {
		p.Path = b.text(path+".path", raw.Path, "", RulePathSyntax, queryPathFault)
	} else {
		p.Path = defaultPath(p.Protocol, p.Model)
	}
	if len(raw.Parameters) > 0 {
		p.Parameters = raw.Parameters
		b.parameters(path+".parameters", raw.Parameters)
	}
	if p.Protocol == MLflow {
		p.Format = MLflowFormat(b.choice(path+".format", raw.Format, string(MLflowSplit), string(MLflowSplit), string(MLflowRecords), string(MLflowInputs)))
	}
	p.Answer = b.answer(path+".answer", p.Protocol, orEmpty(raw.Answer))
	b.meaningless(path, p)
	if p.Protocol == PlainJSON {
		b.plainJSON(path, &p, raw)
	}
	return p
}

var predictProtocols = []string{
	string(OpenInference), string(OpenInferenceGRPC), string(TensorFlowServing), string(MLflow), string(PlainJSON),
}

// defaultPath is where a protocol is spoken by default; empty for gRPC, which
// has no path, and for plain JSON, which has no usual one.
func defaultPath(protocol PredictProtocol, model string) string {
	switch protocol {
	case OpenInference:
		return "/v2/models/" + model + "/infer"
	case TensorFlowServing:
		return "/v1/models/" + model + ":predict"
	case MLflow:
		return "/invocations"
	default:
		return ""
	}
}

// meaningless notes keys that the protocol has no use for: whoever wrote one
// counts on something that would not happen.
func (b *builder) meaningless(path string, p Predict) {
	uses := map[string][]PredictProtocol{
		"path":       {OpenInference, TensorFlowServing, MLflow, PlainJSON},
		"model":      {OpenInference, OpenInferenceGRPC, TensorFlowServing},
		"binary":     {OpenInference},
		"parameters": {OpenInference, OpenInferenceGRPC, MLflow},
		"inputs":     {OpenInference, OpenInferenceGRPC, TensorFlowServing, MLflow},
		"format":     {MLflow},
		"signature":  {TensorFlowServing},
		"request":    {PlainJSON},
	}
	if !slices.Contains(predictProtocols, string(p.Protocol)) {
		return
	}
	for key, protocols := range uses {
		if !slices.Contains(protocols, p.Protocol) {
			b.refuseKey(child(path, key), "is for "+protocolList(protocols)+", and the protocol is "+string(p.Protocol))
		}
	}
	if p.Protocol == MLflow && p.Format != MLflowInputs {
		b.refuseKey(path+".inputs", "is for format: inputs, and the format is "+string(p.Format))
	}
}

func protocolList(protocols []PredictProtocol) string {
	words := make([]string, len(protocols))
	for i, p := range protocols {
		words[i] = string(p)
	}
	return strings.Join(words, ", ")
}

// plainJSON wants what plain JSON has no default for.
func (b *builder) plainJSON(path string, p *Predict, raw *rawPredict) {
	if raw.Path == nil {
		b.require(path+".path", "plain JSON has no usual path; write the one to POST to")
	}
	if raw.Batch != nil && *raw.Batch != 1 {
		b.problem(path+".batch", RuleContradiction, "%s = %d; one request of plain JSON carries one row, so remove it", shown(path+".batch"), *raw.Batch)
	}
	p.Batch = 1
	if raw.Request == nil {
		b.require(path+".request", `write the JSON of one request, with "${column}" for a row's values`)
	} else {
		p.Request = *raw.Request
		b.refuse(path+".request", RuleTemplate, p.Request, templateFault(p.Request))
	}
	if a := p.Answer; a.Label == "" && a.Scores == "" && a.Value == "" && a.Ranking == "" {
		b.require(path+".answer", "write a JSONPath for one of label, scores, value and ranking, like {value: $.price}")
	}
}

func (b *builder) parameters(path string, written map[string]string) {
	for key, value := range written {
		b.refuse(child(path, key), RuleTextSyntax, key, textFault(key))
		if len(value) > 2048 {
			b.problem(child(path, key), RuleTextSyntax, "%s has %d bytes; at most 2048", shown(child(path, key)), len(value))
		}
	}
}

var datatypes = []string{
	"BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP16", "FP32", "FP64", "BYTES",
}

func (b *builder) inputs(path string, raw []rawInput) []Input {
	if len(raw) == 0 {
		if b.marks.has(path) {
			b.require(path, "write at least one, or remove the key")
		}
		return nil
	}
	inputs, names := make([]Input, len(raw)), make([]string, len(raw))
	for i, in := range raw {
		at := item(path, i)
		if !b.marks.has(at + ".name") {
			b.require(at+".name", "write the name of the input")
		} else {
			b.refuse(at+".name", RuleTextSyntax, in.Name, textFault(in.Name))
		}
		names[i] = in.Name
		inputs[i] = Input{Name: in.Name, Datatype: b.choice(at+".datatype", in.Datatype, "FP64", datatypes...), Columns: b.texts(at+".columns", in.Columns)}
		if inputs[i].Columns == nil {
			inputs[i].Columns = []string{in.Name}
		}
		if first := slices.Index(names, in.Name); first < i && in.Name != "" {
			b.problem(at, RuleDuplicateValue, "%s is named %s like %s; give one another name", shown(at), short(in.Name), shown(item(path, first)))
		}
	}
	return inputs
}

func (b *builder) answer(path string, protocol PredictProtocol, raw *rawAnswer) Answer {
	where := func(key string, written *string) string {
		if written == nil {
			return ""
		}
		if b.refuse(child(path, key), RuleTextSyntax, *written, textFault(*written)); protocol == PlainJSON && textFault(*written) == "" {
			b.refuse(child(path, key), RuleJSONPath, *written, jsonPathFault(*written))
		}
		return *written
	}
	a := Answer{
		Label: where("label", raw.Label), Scores: where("scores", raw.Scores),
		Value: where("value", raw.Value), Ranking: where("ranking", raw.Ranking),
		Classes:   b.texts(path+".classes", raw.Classes),
		Positive:  "1",
		Threshold: b.decimal(path+".threshold", raw.Threshold, 0.5, -1e9, 1e9),
	}
	if len(a.Classes) == 1 {
		b.problem(path+".classes", RuleNumberRange, "%s has one class; write at least two", shown(path+".classes"))
	}
	if len(a.Classes) > 0 {
		a.Positive = a.Classes[len(a.Classes)-1]
	}
	a.Positive = b.text(path+".positive", raw.Positive, a.Positive, RuleTextSyntax, textFault)
	if len(a.Classes) > 0 && !slices.Contains(a.Classes, a.Positive) {
		b.problem(path+".positive", RuleContradiction, "%s = %s; it is none of the classes %s", shown(path+".positive"), short(a.Positive), short(strings.Join(a.Classes, ", ")))
	}
	return a
}

func jsonPathFault(text string) string {
	if _, err := jsonpath.Parse(text); err != nil {
		return "for json it is a JSONPath like $.label or $.scores[*]: " + firstLine(err.Error())
	}
	return ""
}

func (b *builder) load(path string, raw *rawLoad) Load {
	return Load{
		Idle: b.cap(path+".idle", raw.Idle, Cap{Concurrency: 16}),
		Live: b.cap(path+".live", raw.Live, Cap{Concurrency: 4, PerSecond: 100}),
	}
}

func (b *builder) cap(path string, raw *rawCap, preset Cap) Cap {
	if raw == nil {
		return preset
	}
	return Cap{
		Concurrency: b.count(path+".concurrency", raw.Concurrency, preset.Concurrency, 1, 1024),
		PerSecond:   b.count(path+".perSecond", raw.PerSecond, preset.PerSecond, 0, 1_000_000),
	}
}
