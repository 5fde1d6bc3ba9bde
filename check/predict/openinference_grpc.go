package predict

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"greenlight/check/dataset"
	"greenlight/check/predict/oipv2"
)

// openInferenceGRPC is Open Inference over gRPC. Tensors are sent as raw
// contents, and taken as raw or typed ones.
type openInferenceGRPC struct{ *openInference }

// encode does not use buf: gRPC may keep a message after its call has ended.
func (o *openInferenceGRPC) encode(_ []byte, rows []dataset.Row) (message, error) {
	r := &oipv2.ModelInferRequest{ModelName: o.spec.Model, Parameters: map[string]*oipv2.InferParameter{}}
	for _, p := range o.parameters {
		r.Parameters[p.name] = p.proto()
	}
	for i := range o.fields {
		f := &o.fields[i]
		dims := f.shape(nil, rows)
		raw, err := o.appendTensor(nil, f, dims, rows, appendRaw)
		if err != nil {
			return message{}, err
		}
		shape := []int64{int64(len(rows))}
		for _, d := range dims {
			shape = append(shape, int64(d))
		}
		r.Inputs = append(r.Inputs, &oipv2.ModelInferRequest_InferInputTensor{Name: f.name, Datatype: f.datatype.String(), Shape: shape})
		r.RawInputContents = append(r.RawInputContents, raw)
	}
	for _, name := range o.outputs {
		r.Outputs = append(r.Outputs, &oipv2.ModelInferRequest_InferRequestedOutputTensor{Name: name})
	}
	return written(r)
}

func written(r *oipv2.ModelInferRequest) (message, error) {
	b, err := proto.Marshal(r)
	if err != nil {
		return message{}, fmt.Errorf("write request: %w", err)
	}
	return message{body: b}, nil
}

// proto is the parameter with the type that its value reads as.
func (p parameter) proto() *oipv2.InferParameter {
	switch {
	case p.isText():
	case p.value == "true" || p.value == "false":
		return &oipv2.InferParameter{ParameterChoice: &oipv2.InferParameter_BoolParam{BoolParam: p.value == "true"}}
	default:
		if i, err := strconv.ParseInt(p.value, 10, 64); err == nil {
			return &oipv2.InferParameter{ParameterChoice: &oipv2.InferParameter_Int64Param{Int64Param: i}}
		}
		if f, err := strconv.ParseFloat(p.value, 64); err == nil {
			return &oipv2.InferParameter{ParameterChoice: &oipv2.InferParameter_DoubleParam{DoubleParam: f}}
		}
	}
	return &oipv2.InferParameter{ParameterChoice: &oipv2.InferParameter_StringParam{StringParam: p.value}}
}

func (o *openInferenceGRPC) decode(a answer, n int) ([]Prediction, error) {
	r, err := readResponse(a.body)
	if err != nil {
		return nil, err
	}
	outputs, err := readProto(r, o.outputs)
	if err != nil {
		return nil, err
	}
	return readTensors(outputs, n, o.spec.Answer)
}

// readProto reads the tensors of an answer: those in only, or all if it is empty.
func readProto(r *oipv2.ModelInferResponse, only []string) ([]tensor, error) {
	if n := len(r.RawOutputContents); n > 0 && n != len(r.Outputs) {
		return nil, fmt.Errorf("%d raw_output_contents for %d outputs", n, len(r.Outputs))
	}
	if len(r.Outputs) > maxOutputs {
		return nil, fmt.Errorf("more than %d outputs", maxOutputs)
	}
	var outputs []tensor
	for i, out := range r.Outputs {
		t := tensor{name: out.Name, shape: out.Shape}
		if len(only) > 0 && !slices.Contains(only, t.name) {
			continue
		}
		if t.datatype = datatypes[out.Datatype]; t.datatype == 0 {
			return nil, fmt.Errorf("output %q has the unknown datatype %q", Shorten(t.name), Shorten(out.Datatype))
		}
		var err error
		switch {
		case len(r.RawOutputContents) == 0:
			err = t.setTyped(out.Contents)
		case out.Contents != nil && proto.Size(out.Contents) > 0:
			err = errors.New("contents both raw and typed")
		default:
			err = t.setRaw(r.RawOutputContents[i])
		}
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", Shorten(t.name), err)
		}
		outputs = append(outputs, t)
	}
	return outputs, nil
}

// setTyped reads data written in the field that goes with the datatype.
func (t *tensor) setTyped(c *oipv2.InferTensorContents) error {
	want, err := elements(t.shape)
	if err != nil {
		return err
	}
	switch t.datatype {
	case datatypeBool:
		for _, b := range c.GetBoolContents() {
			t.integers = append(t.integers, truth(b))
		}
	case datatypeInt8, datatypeInt16, datatypeInt32:
		err = appendIntegers(t, c.GetIntContents())
	case datatypeInt64:
		t.integers = c.GetInt64Contents()
	case datatypeUint8, datatypeUint16, datatypeUint32:
		err = appendIntegers(t, c.GetUintContents())
	case datatypeUint64:
		for _, u := range c.GetUint64Contents() {
			t.integers = append(t.integers, int64(u))
		}
	case datatypeFP32:
		for _, f := range c.GetFp32Contents() {
			t.floats = append(t.floats, float64(f))
		}
	case datatypeFP64:
		t.floats = c.GetFp64Contents()
	case datatypeBytes:
		for _, b := range c.GetBytesContents() {
			t.words = append(t.words, string(b))
		}
	default:
		err = fmt.Errorf("%v without raw_output_contents", t.datatype)
	}
	if n := len(t.integers) + len(t.floats) + len(t.words); err == nil && n != want {
		err = fmt.Errorf("%d elements of %v, but shape %v", n, t.datatype, t.shape)
	}
	return err
}

func appendIntegers[I int32 | uint32](t *tensor, from []I) error {
	for _, i := range from {
		if !t.datatype.fits(int64(i)) {
			return fmt.Errorf("%d where a %v should be", i, t.datatype)
		}
		t.integers = append(t.integers, int64(i))
	}
	return nil
}

// wrap translates a request in JSON. The model is the request's, else that of
// path (/v2/models/NAME/versions/VERSION/infer), else the policy's.
func (o *openInferenceGRPC) wrap(path string, request json.RawMessage) (message, error) {
	from, err := readRequest(request)
	if err != nil {
		return message{}, err
	}
	name, version := modelOf(path)
	r := &oipv2.ModelInferRequest{
		ModelName: first(from.ModelName, name, o.spec.Model), ModelVersion: first(from.ModelVersion, version),
		Id: from.ID, Parameters: protoParameters(from.Parameters),
	}
	for _, in := range from.Inputs {
		raw, err := in.appendTo(nil)
		if err != nil {
			return message{}, err
		}
		r.RawInputContents = append(r.RawInputContents, raw)
		r.Inputs = append(r.Inputs, &oipv2.ModelInferRequest_InferInputTensor{
			Name: in.Name, Datatype: in.Datatype, Shape: in.Shape, Parameters: protoParameters(in.Parameters),
		})
	}
	for _, out := range from.Outputs {
		r.Outputs = append(r.Outputs, &oipv2.ModelInferRequest_InferRequestedOutputTensor{
			Name: out.Name, Parameters: protoParameters(out.Parameters),
		})
	}
	return written(r)
}

func modelOf(path string) (name, version string) {
	parts := strings.Split(path, "/")
	for i := 0; i+1 < len(parts); i++ {
		switch parts[i] {
		case "models":
			name = parts[i+1]
		case "versions":
			version = parts[i+1]
		}
	}
	return name, version
}

func first(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}

// protoParameters are parameters as JSON gave them; lists and objects, which
// the protocol has not, go as their text.
func protoParameters(from map[string]any) map[string]*oipv2.InferParameter {
	all := map[string]*oipv2.InferParameter{}
	for name, value := range from {
		if s, ok := value.(string); ok {
			all[name] = &oipv2.InferParameter{ParameterChoice: &oipv2.InferParameter_StringParam{StringParam: s}}
			continue
		}
		written, _ := json.Marshal(value) // it was JSON
		all[name] = parameter{name, string(written)}.proto()
	}
	return all
}

// unwrap writes an answer in JSON.
func (o *openInferenceGRPC) unwrap(a answer) ([]byte, error) {
	r, err := readResponse(a.body)
	if err != nil {
		return nil, err
	}
	outputs, err := readProto(r, nil)
	if err != nil {
		return nil, err
	}
	whole := struct {
		ModelName    string         `json:"model_name"`
		ModelVersion string         `json:"model_version,omitempty"`
		ID           string         `json:"id,omitempty"`
		Parameters   map[string]any `json:"parameters,omitempty"`
		Outputs      []jsonInput    `json:"outputs"`
	}{r.ModelName, r.ModelVersion, r.Id, plainParameters(r.Parameters), []jsonInput{}}
	for i, out := range r.Outputs {
		whole.Outputs = append(whole.Outputs, jsonInput{
			Name: out.Name, Datatype: out.Datatype, Shape: out.Shape,
			Parameters: plainParameters(out.Parameters), Data: outputs[i].appendData(nil),
		})
	}
	return json.Marshal(whole)
}

func plainParameters(from map[string]*oipv2.InferParameter) map[string]any {
	all := map[string]any{}
	for name, p := range from {
		switch v := p.GetParameterChoice().(type) {
		case *oipv2.InferParameter_BoolParam:
			all[name] = v.BoolParam
		case *oipv2.InferParameter_Int64Param:
			all[name] = v.Int64Param
		case *oipv2.InferParameter_StringParam:
			all[name] = v.StringParam
		case *oipv2.InferParameter_DoubleParam:
			if finite(v.DoubleParam) != nil {
				all[name] = numberText(v.DoubleParam) // JSON has no number for it
				continue
			}
			all[name] = v.DoubleParam
		case *oipv2.InferParameter_Uint64Param:
			all[name] = v.Uint64Param
		}
	}
	return all
}
