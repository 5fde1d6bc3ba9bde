package api

import (
	"greenlight/api/adminv1"
	"greenlight/policy"
)

// Policy is m as the API shows it; nil stays nil.
func Policy(m *policy.Model) *adminv1.Policy {
	if m == nil {
		return nil
	}
	return &adminv1.Policy{
		Name:          m.Name,
		Owners:        m.Owners,
		Source:        policySource(m.Source),
		Wanted:        wanted(m.Wanted),
		Calendar:      plannedCalendar(m.Calendar),
		DependsOn:     m.DependsOn,
		Queue:         queue(m.Queue),
		Approve:       list(m.Approve, approval),
		InitialLive:   colors[m.InitialLive],
		Discovery:     discovery(m.Discovery),
		Route:         route(m.Route),
		Predict:       predict(m.Predict),
		Validate:      list(m.Validate, check),
		Shift:         list(m.Shift, shiftStep),
		StepChecks:    &adminv1.StepChecks{Every: lasting(m.StepChecks.Every), Checks: list(m.StepChecks.Checks, check)},
		PrepareWithin: lasting(m.Prepare.Within),
		Confirm:       &adminv1.Confirm{Within: lasting(m.Confirm.Within), Otherwise: otherwises[m.Confirm.Otherwise]},
		Bake: &adminv1.Bake{
			Duration: lasting(m.Bake.For),
			Every:    lasting(m.Bake.Every),
			Checks:   list(m.Bake.Checks, check),
		},
		Rollback: &adminv1.RollbackPolicy{
			Automatic:             m.Rollback.Automatic,
			EndpointsBelowPercent: percent(m.Rollback.EndpointsBelow),
		},
		Retire:  retire(m.Retire),
		Shape:   shapes[m.Shape],
		Judge:   judge(m.Judge),
		Cost:    cost(m.Cost),
		Rolling: rolling(m.Rolling),
		Shadow:  &adminv1.Shadow{Percent: percent(m.Shadow.Percent), Duration: lasting(m.Shadow.For)},
	}
}

func discovery(d policy.Discovery) *adminv1.Discovery {
	return &adminv1.Discovery{
		Service:      d.Service,
		ColorMeta:    d.ColorMeta,
		ColorTags:    d.ColorTags,
		BlueService:  d.Services[policy.Blue],
		GreenService: d.Services[policy.Green],
		VersionMeta:  d.VersionMeta,
		Warning:      d.Warning,
		Datacenter:   d.Datacenter,
	}
}

func route(r policy.Route) *adminv1.Route {
	return &adminv1.Route{
		Fleets:        r.Fleets,
		Hosts:         r.Hosts,
		Prefix:        r.Prefix,
		PreviewHeader: r.Preview,
		Protocol:      protocols[r.Protocol],
		Timeout:       lasting(r.Timeout),
		Retries:       &adminv1.Retries{Attempts: number(r.Retries.Attempts), On: r.Retries.On},
		Outlier: &adminv1.Outlier{
			Off:                r.Outlier.Off,
			ConsecutiveErrors:  number(r.Outlier.ConsecutiveErrors),
			Interval:           lasting(r.Outlier.Interval),
			EjectFor:           lasting(r.Outlier.EjectFor),
			MaxEjectionPercent: number(r.Outlier.MaxEjectionPercent),
		},
		Limits: &adminv1.Limits{
			Connections: number(r.Limits.Connections),
			Pending:     number(r.Limits.Pending),
			Requests:    number(r.Limits.Requests),
			Retries:     number(r.Limits.Retries),
		},
		ConnectTimeout: lasting(r.ConnectTimeout),
		PreviewCookie:  r.PreviewCookie,
		PreviewToken:   secret(r.PreviewToken),
		Sticky: &adminv1.Sticky{
			Header: r.Sticky.Header, Cookie: r.Sticky.Cookie, CookieTtl: lasting(r.Sticky.CookieTTL), SourceIp: r.Sticky.SourceIP,
		},
	}
}

func shiftStep(s policy.Step) *adminv1.ShiftStep {
	return &adminv1.ShiftStep{WeightPercent: percent(s.Weight), Hold: lasting(s.Hold)}
}

func retire(r policy.Retire) *adminv1.Retire {
	out := &adminv1.Retire{
		Off: r.Off, After: lasting(r.After), Webhook: r.Webhook, Secret: secret(r.Secret), Repurpose: r.Repurpose,
	}
	if c := r.Consul; c != nil {
		out.Consul = &adminv1.ConsulRetire{Scheme: c.Scheme, Port: number(c.Port), Token: secret(c.Token)}
	}
	if n := r.Nomad; n != nil {
		out.Nomad = &adminv1.NomadRetire{
			Address: n.Address, BlueJob: n.Jobs[policy.Blue], GreenJob: n.Jobs[policy.Green], Group: n.Group,
			Namespace: n.Namespace, Region: n.Region, Token: secret(n.Token),
		}
	}
	return out
}
