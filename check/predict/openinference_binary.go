package predict

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"greenlight/check/dataset"
)

// openInferenceBinary is Open Inference over HTTP with the binary tensor
// extension: the elements of all tensors stand behind the JSON, which tells
// their sizes.
type openInferenceBinary struct{ *openInference }

func (o *openInferenceBinary) encode(buf []byte, rows []dataset.Row) (message, error) {
	// The sizes stand before the elements, so the elements are written first,
	// and moved behind the JSON.
	sizes := make([]int, len(o.fields))
	shapes := make([][]int, len(o.fields))
	var err error
	for i := range o.fields {
		before := len(buf)
		shapes[i] = o.fields[i].shape(nil, rows)
		if buf, err = o.appendTensor(buf, &o.fields[i], shapes[i], rows, appendRaw); err != nil {
			return message{}, err
		}
		sizes[i] = len(buf) - before
	}
	head := append([]byte(nil), '{')
	parameters := o.parameters
	if len(o.outputs) == 0 {
		parameters = append(slices.Clone(parameters), parameter{"binary_data_output", "true"})
	}
	if len(parameters) > 0 {
		head = append(appendParameters(append(head, `"parameters":`...), parameters), ',')
	}
	head = append(head, `"inputs":[`...)
	for i := range o.fields {
		head = appendHead(comma(head), &o.fields[i], shapes[i], len(rows))
		head = strconv.AppendInt(append(head, `,"parameters":{"binary_data_size":`...), int64(sizes[i]), 10)
		head = append(head, "}}"...)
	}
	head = append(head, ']')
	if len(o.outputs) > 0 {
		head = append(head, `,"outputs":[`...)
		for _, name := range o.outputs {
			head = append(appendString(append(comma(head), `{"name":`...), name), `,"parameters":{"binary_data":true}}`...)
		}
		head = append(head, ']')
	}
	head = append(head, '}')
	return message{body: slices.Insert(buf, 0, head...), header: len(head)}, nil
}

func (o *openInferenceBinary) wrap(_ string, request json.RawMessage) (message, error) {
	r, err := readRequest(request)
	if err != nil {
		return message{}, err
	}
	var elements []byte
	for i := range r.Inputs {
		in := &r.Inputs[i]
		before := len(elements)
		if elements, err = in.appendTo(elements); err != nil {
			return message{}, err
		}
		in.Data, in.Parameters = nil, with(in.Parameters, "binary_data_size", len(elements)-before)
	}
	for i := range r.Outputs {
		r.Outputs[i].Parameters = with(r.Outputs[i].Parameters, "binary_data", true)
	}
	if len(r.Outputs) == 0 {
		r.Parameters = with(r.Parameters, "binary_data_output", true)
	}
	head, err := json.Marshal(r)
	if err != nil {
		return message{}, fmt.Errorf("write request: %w", err)
	}
	return message{body: append(head, elements...), header: len(head)}, nil
}

func with(parameters map[string]any, name string, value any) map[string]any {
	all := map[string]any{}
	maps.Copy(all, parameters)
	all[name] = value
	return all
}

// unwrap puts the elements back into the JSON.
func (o *openInferenceBinary) unwrap(a answer) ([]byte, error) {
	if a.header == 0 {
		return a.body, nil
	}
	outputs, err := readOutputs(a, nil)
	if err != nil {
		return nil, err
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(a.body[:a.header], &whole); err != nil {
		return nil, fmt.Errorf("no answer of Open Inference: %w", err)
	}
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(whole["outputs"], &list); err != nil {
		return nil, fmt.Errorf("outputs: %w", err)
	}
	for i := range list {
		list[i]["data"] = outputs[i].appendData(nil)
	}
	if whole["outputs"], err = json.Marshal(list); err != nil {
		return nil, fmt.Errorf("write outputs: %w", err)
	}
	return json.Marshal(whole)
}
