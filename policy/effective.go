package policy

// The effective functions are the builders backwards: they give the document that
// says outright all that is in force. Where a value is optional and there is none,
// there is no key either.

// effective is the document of a model. Raw is what the model was built from: a
// shift's steps do not tell how they were written.
func effective(m *Model, raw *rawModel) *rawModel {
	spec := rawSpec{
		InitialLive: optional(m.InitialLive),
		Discovery:   effectiveDiscovery(m.Discovery),
		Route:       effectiveRoute(m.Route),
		Predict:     effectivePredict(m.Predict),
		Validate:    effectiveChecks(m, m.Validate),
		Prepare:     &rawPrepare{Within: new(duration(m.Prepare.Within))},
		Shift:       effectiveShift(m, orEmpty(raw.Spec.Shift)),
		Judge:       effectiveJudge(m.Judge),
		Confirm:     &rawConfirm{Within: new(duration(m.Confirm.Within)), Otherwise: new(string(m.Confirm.Otherwise))},
		Bake: &rawBake{
			For: new(duration(m.Bake.For)), Every: new(duration(m.Bake.Every)), Checks: effectiveChecks(m, m.Bake.Checks),
		},
		Rollback: &rawRollback{Automatic: new(m.Rollback.Automatic), EndpointsBelow: new(percent(m.Rollback.EndpointsBelow))},
		Retire:   effectiveRetire(m.Retire),
		Cost:     effectiveCost(m.Cost),
	}
	effectiveTurns(m, &spec)
	if m.Shadow.Percent > 0 {
		spec.Shadow = &rawShadow{Percent: new(percent(m.Shadow.Percent)), For: new(duration(m.Shadow.For))}
	}
	if m.Rolling != nil {
		for i := range spec.Validate {
			if e := spec.Validate[i].Endpoints; e != nil {
				e.OfLive = nil // there is no such share while the live color makes room
			}
		}
	}
	if spec.Shift.Checks == nil {
		followed(spec.Validate, raw.Spec.Validate)
	}
	return &rawModel{
		APIVersion: APIVersion, Kind: kindModel,
		Metadata: rawMetadata{Name: m.Name, Owners: m.Owners}, Spec: spec,
	}
}

// followed leaves out what validate's checks do by default when they are
// inconclusive. Where the steps' checks can't be written out they follow validate's,
// and differ from them in that default.
func followed(checks, written []rawCheck) {
	preset := len(checks) - len(written)
	for i := range checks {
		if i < preset || written[i-preset].OnInconclusive == nil {
			checks[i].OnInconclusive = nil
		}
	}
}

// optional is a text that may be missing.
func optional[T ~string](text T) *string {
	if text == "" {
		return nil
	}
	return new(string(text))
}

func effectiveDiscovery(d Discovery) rawDiscovery {
	raw := rawDiscovery{
		Service:    optional(d.Service),
		Version:    &rawVersionSource{Meta: new(d.VersionMeta)},
		Warning:    new(d.Warning),
		Datacenter: optional(d.Datacenter),
	}
	switch {
	case d.Service == "":
		raw.Blue, raw.Green = &rawColorService{Service: d.Services[Blue]}, &rawColorService{Service: d.Services[Green]}
	case d.ColorTags:
		raw.Color = &rawColor{Tag: new(true)}
	default:
		raw.Color = &rawColor{Meta: new(d.ColorMeta)}
	}
	return raw
}

func effectiveRoute(r Route) rawRoute {
	raw := rawRoute{
		Fleets: r.Fleets, Hosts: r.Hosts, Prefix: new(r.Prefix),
		Preview:        &rawPreview{Off: new(true)},
		Protocol:       new(string(r.Protocol)),
		Timeout:        new(duration(r.Timeout)),
		ConnectTimeout: new(duration(r.ConnectTimeout)),
		Retries:        &rawRetries{Attempts: new(r.Retries.Attempts), On: r.Retries.On},
		Outlier: &rawOutlier{
			Off: new(r.Outlier.Off), ConsecutiveErrors: new(r.Outlier.ConsecutiveErrors), Interval: new(duration(r.Outlier.Interval)),
			EjectFor: new(duration(r.Outlier.EjectFor)), MaxEjectionPercent: new(percent(r.Outlier.MaxEjectionPercent * 100)),
		},
		Limits: &rawLimits{
			Connections: new(r.Limits.Connections), Pending: new(r.Limits.Pending),
			Requests: new(r.Limits.Requests), Retries: new(r.Limits.Retries),
		},
	}
	if r.Preview != "" {
		raw.Preview = &rawPreview{Header: new(r.Preview), Cookie: optional(r.PreviewCookie), Token: effectiveSecret(r.PreviewToken)}
	}
	switch s := r.Sticky; {
	case s.SourceIP:
		raw.Sticky = &rawSticky{SourceIP: new(true)}
	case s.Header != "":
		raw.Sticky = &rawSticky{Header: new(s.Header)}
	case s.Cookie != "":
		raw.Sticky = &rawSticky{Cookie: &rawCookie{Name: new(s.Cookie)}}
		if s.CookieTTL > 0 {
			raw.Sticky.Cookie.TTL = new(duration(s.CookieTTL))
		}
	}
	return raw
}

func effectiveSecret(s *Secret) *rawSecret {
	if s == nil {
		return nil
	}
	return &rawSecret{Env: optional(s.Env), File: optional(s.File)}
}

func effectivePredict(p Predict) *rawPredict {
	raw := &rawPredict{
		Protocol: new(string(p.Protocol)), Path: optional(p.Path), Parameters: p.Parameters, Columns: p.Columns,
		Signature: optional(p.Signature), Request: optional(p.Request), Format: optional(p.Format), Batch: new(p.Batch),
		Answer: &rawAnswer{
			Label: optional(p.Answer.Label), Scores: optional(p.Answer.Scores), Value: optional(p.Answer.Value),
			Ranking: optional(p.Answer.Ranking), Classes: p.Answer.Classes,
			Positive: new(p.Answer.Positive), Threshold: new(number(p.Answer.Threshold)),
		},
		Load: &rawLoad{Idle: effectiveCap(p.Load.Idle), Live: effectiveCap(p.Load.Live)},
	}
	if p.Protocol != MLflow && p.Protocol != PlainJSON {
		raw.Model = new(p.Model)
	}
	if p.Protocol == OpenInference {
		raw.Binary = new(p.Binary)
	}
	for _, in := range p.Inputs {
		raw.Inputs = append(raw.Inputs, rawInput{Name: in.Name, Datatype: new(in.Datatype), Columns: in.Columns})
	}
	for _, h := range p.Headers {
		raw.Headers = append(raw.Headers, rawHeader{Name: h.Name, Value: optional(h.Value), Secret: effectiveSecret(h.Secret)})
	}
	return raw
}

func effectiveCap(c Cap) *rawCap {
	return &rawCap{Concurrency: new(c.Concurrency), PerSecond: new(c.PerSecond)}
}
