package predict

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"greenlight/check/dataset"
	"greenlight/policy"
)

// Every half is its own nearest half, and lies between its neighbors.
func TestHalvesComeBack(t *testing.T) {
	for h := range 1 << 16 {
		f := fromHalf(uint16(h))
		if back := toHalf(f); back != uint16(h) && !math.IsNaN(f) {
			t.Fatalf("%#04x is %v, which is %#04x", h, f, back)
		}
		b := float64(math.Float32frombits(uint32(h) << 16))
		if back := toBrain(b); back != uint16(h) && !math.IsNaN(b) {
			t.Fatalf("%#04x is %v as BF16, which is %#04x", h, b, back)
		}
	}
	for f, want := range map[float64]uint16{
		1: 0x3c00, -2: 0xc000, 65504: 0x7bff, 65519.9: 0x7bff, 65520: 0x7c00, 0x1p-24: 1, 0x1p-25: 0, 0x1.8p-25: 1,
		0x1p-14: 0x400, 1 + 0x1p-11: 0x3c00, 1 + 0x3p-11: 0x3c02, math.Inf(-1): 0xfc00, 0.1: 0x2e66,
	} {
		if got := toHalf(f); got != want {
			t.Errorf("%v is %#04x, want %#04x", f, got, want)
		}
	}
}

// Raw and JSON elements say the same.
func TestTensorsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64(), 1, 20).Draw(t, "values")
		name := rapid.SampledFrom([]string{"INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP32", "FP64", "FP16", "BF16", "BYTES"}).Draw(t, "datatype")
		d := datatypes[name]
		var raw []byte
		for i := range values {
			v := dataset.Value{Kind: dataset.Int, Int: values[i] & 0x7f}
			raw, _ = appendRaw(raw, d, &v)
		}
		from := tensor{datatype: d, shape: []int64{int64(len(values))}}
		if err := from.setRaw(raw); err != nil {
			t.Fatal(err)
		}
		again, err := jsonInput{Datatype: name, Shape: from.shape, Data: json.RawMessage(from.appendData(nil))}.appendTo(nil)
		if err != nil || string(again) != string(raw) {
			t.Fatalf("%x became %x: %v", raw, again, err)
		}
	})
}

// whatever came over the wire, decoding says something and every number is finite.
func whole(t *testing.T, all []Prediction, err error, n int) {
	if err != nil {
		return
	}
	if len(all) != n {
		t.Fatalf("%d predictions for %d rows", len(all), n)
	}
	for _, p := range all {
		if finite(p.Value) != nil {
			t.Fatalf("%+v", p)
		}
		for _, s := range p.Scores {
			if finite(s) != nil {
				t.Fatalf("%+v", p)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"outputs":[{"name":"y","datatype":"FP64","shape":[1,2],"data":[[0.25,0.75]]}]}`), 0, 1)
	f.Add([]byte(`{"predictions":[{"l":"a","s":[0.1,0.9]},{"l":1,"s":[0.1,0.9]}]}`), 0, 2)
	f.Add([]byte(`{"predictions":{"l":["a"],"s":[[1,NaN]]}}`), 0, 1)
	f.Add([]byte(`{"outputs":[{"name":"l","datatype":"FP16","shape":[1],"parameters":{"binary_data_size":2}}]}`+"\x00\x7c"), 92, 1)
	f.Add([]byte("{\"outputs\":[{\"name\":\"l\",\"datatype\":\"BYTES\",\"shape\":[1],\"parameters\":{\"binary_data_size\":5}}]}\x01\x00\x00\x00a"), 93, 1)
	f.Add([]byte("\x2a\x10\x0a\x01y\x12\x04FP64\x1a\x01\x01\x2a\x02\x3a\x00"), 0, 1)
	f.Fuzz(func(t *testing.T, body []byte, header, n int) {
		n = min(max(n, 1), 100)
		for _, a := range []policy.Answer{{}, {Label: "l", Scores: "s"}, {Value: "$.v", Ranking: "$..r"}} {
			for _, spec := range []policy.Predict{
				{Protocol: policy.OpenInference, Answer: a}, {Protocol: policy.OpenInferenceGRPC, Answer: a},
				{Protocol: policy.OpenInference, Binary: true, Answer: a}, {Protocol: policy.TensorFlowServing, Answer: a},
				{Protocol: policy.MLflow, Answer: a},
			} {
				p, err := speak(spec, nil)
				if err != nil {
					t.Fatal(err)
				}
				got := answer{status: 200, body: body, header: max(header, 0)}
				all, err := p.decode(got, n)
				whole(t, all, err, n)
				if out, err := p.unwrap(got); err == nil && spec.Protocol == policy.OpenInferenceGRPC && !json.Valid(out) {
					t.Fatalf("no JSON: %s", out)
				}
			}
		}
		if p, err := speak(policy.Predict{Protocol: policy.PlainJSON, Answer: policy.Answer{Value: "$.v", Ranking: "$..r"}}, nil); err == nil {
			all, err := p.decode(answer{status: 200, body: body}, 1)
			whole(t, all, err, 1)
		} else {
			t.Fatal(err)
		}
		_, _ = (&openInferenceBinary{newOpenInference(&plan{})}).wrap("", body)
		tensor := tensor{datatype: datatypeBytes, shape: []int64{1}}
		_ = tensor.setRaw(binary.LittleEndian.AppendUint32(nil, uint32(header)))
	})
}

func FuzzTemplate(f *testing.F) {
	f.Add(`{"x": ["${a}", "n-${a}\n"], "row": "${@row}"}`, `","evil":"${a}`)
	f.Fuzz(func(t *testing.T, request, cell string) {
		schema := &dataset.Schema{Columns: []string{"a"}}
		p, err := speak(policy.Predict{Protocol: policy.PlainJSON, Request: request, Columns: []string{"a"}}, schema)
		if err != nil {
			return
		}
		m, err := p.encode(nil, []dataset.Row{{Values: []dataset.Value{{Kind: dataset.String, Str: cell}}}})
		if err == nil && !json.Valid(m.body) {
			t.Fatalf("%s became %s", request, m.body)
		}
	})
}
