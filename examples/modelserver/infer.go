package modelserver

import (
	"fmt"
)

// inferRequest is the part of a KServe V2 inference request that matters here.
type inferRequest struct {
	ID     string   `json:"id"`
	Inputs []tensor `json:"inputs"`
}

// tensor is an input or an output. Data of an input may be flat or nested.
type tensor struct {
	Name     string `json:"name"`
	Shape    []int  `json:"shape"`
	Datatype string `json:"datatype"`
	Data     any    `json:"data"`
}

type inferResponse struct {
	ModelName    string   `json:"model_name"`
	ModelVersion string   `json:"model_version"`
	ID           string   `json:"id,omitempty"`
	Outputs      []tensor `json:"outputs"`
}

// rows reads the one input as rows of width numbers each.
func (r inferRequest) rows(width int) ([][]float64, error) {
	if len(r.Inputs) != 1 {
		return nil, fmt.Errorf("inputs has %d tensors; must be one", len(r.Inputs))
	}
	in := r.Inputs[0]
	if len(in.Shape) != 2 || in.Shape[0] < 1 || in.Shape[1] != width {
		return nil, fmt.Errorf("shape of %q is %v; must be [rows, %d]", in.Name, in.Shape, width)
	}
	flat, err := flatten(nil, in.Data)
	if err != nil {
		return nil, fmt.Errorf("data of %q: %w", in.Name, err)
	}
	if len(flat)%width != 0 || len(flat)/width != in.Shape[0] {
		return nil, fmt.Errorf("data of %q has %d numbers; its shape asks for %d rows of %d",
			in.Name, len(flat), in.Shape[0], width)
	}
	var rows [][]float64
	for ; len(flat) > 0; flat = flat[width:] {
		rows = append(rows, flat[:width])
	}
	return rows, nil
}

func flatten(into []float64, v any) ([]float64, error) {
	switch v := v.(type) {
	case float64:
		return append(into, v), nil
	case []any:
		var err error
		for _, e := range v {
			if into, err = flatten(into, e); err != nil {
				return nil, err
			}
		}
		return into, nil
	default:
		return nil, fmt.Errorf("%v (%T) is not a number", v, v)
	}
}

// predict computes the answer; wrong turns it round.
func (s *Server) predict(id string, rows [][]float64, wrong bool) inferResponse {
	probabilities, labels := make([]float64, len(rows)), make([]int, len(rows))
	for i, row := range rows {
		probabilities[i], labels[i] = s.model.Predict(row)
		if wrong {
			probabilities[i], labels[i] = 1-probabilities[i], 1-labels[i]
		}
	}
	shape := []int{len(rows)}
	return inferResponse{
		ModelName: s.opts.Name, ModelVersion: s.opts.Version, ID: id,
		Outputs: []tensor{
			{"probability", shape, "FP64", probabilities},
			{"label", shape, "INT64", labels},
		},
	}
}
