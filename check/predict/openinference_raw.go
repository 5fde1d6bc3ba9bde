package predict

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// jsonRequest is an Open Inference request in JSON.
type jsonRequest struct {
	ModelName    string         `json:"model_name,omitempty"`
	ModelVersion string         `json:"model_version,omitempty"`
	ID           string         `json:"id,omitempty"`
	Parameters   map[string]any `json:"parameters,omitempty"`
	Inputs       []jsonInput    `json:"inputs"`
	Outputs      []jsonOutput   `json:"outputs,omitempty"`
}

type jsonInput struct {
	Name       string          `json:"name"`
	Datatype   string          `json:"datatype"`
	Shape      []int64         `json:"shape"`
	Parameters map[string]any  `json:"parameters,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
}

type jsonOutput struct {
	Name       string         `json:"name"`
	Parameters map[string]any `json:"parameters,omitempty"`
}

// readRequest reads a request in JSON, to be sent in another form.
func readRequest(request json.RawMessage) (jsonRequest, error) {
	var r jsonRequest
	if err := checkJSON(request); err != nil {
		return r, fmt.Errorf("request: %w", err)
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return r, fmt.Errorf("request is no Open Inference request: %w", err)
	}
	return r, nil
}

// appendTo appends the input's data as raw bytes.
func (in jsonInput) appendTo(buf []byte) ([]byte, error) {
	t := tensor{name: in.Name, datatype: datatypes[in.Datatype], shape: in.Shape}
	if t.datatype == 0 {
		return nil, fmt.Errorf("input %q: %q is no datatype", Shorten(in.Name), Shorten(in.Datatype))
	}
	if err := t.setJSON(one(in.Data)); err != nil {
		return nil, fmt.Errorf("input %q: %w", Shorten(in.Name), err)
	}
	for _, i := range t.integers {
		buf = t.datatype.appendInteger(buf, uint64(i))
	}
	for _, f := range t.floats {
		buf = t.datatype.appendFloat(buf, f)
	}
	for _, s := range t.words {
		buf = append(binary.LittleEndian.AppendUint32(buf, uint32(len(s))), s...)
	}
	return buf, nil
}

// appendData appends the tensor's elements as a flat JSON list. What is no
// number is written as a word, for JSON has none for it.
func (t *tensor) appendData(buf []byte) []byte {
	buf = append(buf, '[')
	for _, i := range t.integers {
		buf = comma(buf)
		switch t.datatype {
		case datatypeBool:
			buf = strconv.AppendBool(buf, i != 0)
		case datatypeUint64:
			buf = strconv.AppendUint(buf, uint64(i), 10)
		default:
			buf = strconv.AppendInt(buf, i, 10)
		}
	}
	for _, f := range t.floats {
		buf = comma(buf)
		switch {
		case math.IsNaN(f):
			buf = append(buf, `"NaN"`...)
		case math.IsInf(f, 0):
			buf = appendString(buf, strings.TrimPrefix(strconv.FormatFloat(f, 'g', -1, 64), "+")+"inity")
		case t.datatype == datatypeFP32:
			buf = strconv.AppendFloat(buf, f, 'g', -1, 32)
		default:
			buf = appendFloat(buf, f)
		}
	}
	for _, s := range t.words {
		buf = appendString(comma(buf), s)
	}
	return append(buf, ']')
}
