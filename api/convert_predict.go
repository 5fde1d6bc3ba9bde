package api

import (
	"greenlight/api/adminv1"
	"greenlight/policy"
)

func predict(p policy.Predict) *adminv1.Predict {
	return &adminv1.Predict{
		Protocol:   predictProtocols[p.Protocol],
		Path:       p.Path,
		Model:      p.Model,
		Binary:     p.Binary,
		Parameters: p.Parameters,
		Columns:    p.Columns,
		Reserved:   p.Reserved,
		Inputs:     list(p.Inputs, input),
		Format:     mlflowFormats[p.Format],
		Signature:  p.Signature,
		Request:    p.Request,
		Answer: &adminv1.Answer{
			Label:     p.Answer.Label,
			Scores:    p.Answer.Scores,
			Value:     p.Answer.Value,
			Ranking:   p.Answer.Ranking,
			Classes:   p.Answer.Classes,
			Positive:  p.Answer.Positive,
			Threshold: p.Answer.Threshold,
		},
		Batch:   number(p.Batch),
		Headers: list(p.Headers, header),
		Load:    &adminv1.Load{Idle: loadCap(p.Load.Idle), Live: loadCap(p.Load.Live)},
	}
}

func input(i policy.Input) *adminv1.Input {
	return &adminv1.Input{Name: i.Name, Datatype: i.Datatype, Columns: i.Columns}
}

func header(h policy.Header) *adminv1.Header {
	return &adminv1.Header{Name: h.Name, Value: h.Value, Secret: secret(h.Secret)}
}

// secret says where a secret is found, which is all that a policy knows of it.
func secret(s *policy.Secret) *adminv1.Secret {
	if s == nil {
		return nil
	}
	return &adminv1.Secret{Env: s.Env, File: s.File}
}

func loadCap(c policy.Cap) *adminv1.Cap {
	return &adminv1.Cap{Concurrency: number(c.Concurrency), PerSecond: number(c.PerSecond)}
}
