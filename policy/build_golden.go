package policy

import "math"

const defaultTolerance = 1e-6

// golden takes protocol and path from predict unless it has its own.
func (b *builder) golden(path string, predict Predict, raw *rawGolden) *GoldenCheck {
	c := &GoldenCheck{
		Protocol: PredictProtocol(b.choice(path+".protocol", raw.Protocol, string(predict.Protocol), predictProtocols...)),
		Absolute: b.decimal(path+".absolute", raw.Absolute, 0, 0, math.MaxFloat64),
		Relative: b.decimal(path+".relative", raw.Relative, 0, 0, 1),
		ULP:      b.count(path+".ulp", raw.ULP, 0, 0, 1_000_000),
		TopK:     b.count(path+".topK", raw.TopK, 0, 1, 1000),
	}
	preset := defaultTolerance
	if raw.Absolute != nil || raw.Relative != nil || raw.ULP != nil {
		preset = 0
	}
	c.Tolerance = b.decimal(path+".tolerance", raw.Tolerance, preset, 0, 1)
	b.goldenPath(path+".path", c, predict, raw.Path)
	c.File = b.named(path+".file", raw.File, "name the JSONL file with requests and expected answers")
	return c
}

func (b *builder) goldenPath(path string, c *GoldenCheck, predict Predict, written *string) {
	switch {
	case c.Protocol == OpenInferenceGRPC:
		b.refuseKey(path, "is not for open-inference-grpc, which has no path")
	case written != nil:
		c.Path = b.text(path, written, "", RulePathSyntax, queryPathFault)
	case c.Protocol == predict.Protocol:
		c.Path = predict.Path // if plain JSON has none there, that is told there
	case c.Protocol == PlainJSON:
		b.require(path, "plain JSON has no usual path; write the one to POST to")
	default:
		c.Path = defaultPath(c.Protocol, predict.Model)
	}
}

// named takes the path of a file that must be written.
func (b *builder) named(path, written, says string) string {
	if !b.marks.has(path) {
		b.require(path, says)
		return ""
	}
	return b.file(path, written)
}
