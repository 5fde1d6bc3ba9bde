package api

import (
	"greenlight/api/adminv1"
	"greenlight/policy"
)

func judge(j policy.Judge) *adminv1.Judge {
	return &adminv1.Judge{
		Off: j.Off, Asked: j.Asked, Risk: j.Risk,
		Errors: &adminv1.ErrorRule{
			RelativeOff: j.Errors.RelativeOff, ClientErrors: j.Errors.ClientErrors, Tolerate: j.Errors.Tolerate, Max: j.Errors.Max,
		},
		Latency: &adminv1.LatencyRule{
			RelativeOff: j.Latency.RelativeOff, Tolerate: j.Latency.Tolerate, Max: list(j.Latency.Max, latencyMax),
		},
		MinRequests: number(j.MinRequests), MaxHold: lasting(j.MaxHold), Otherwise: thinOtherwises[j.Otherwise],
	}
}

func latencyMax(m policy.LatencyMax) *adminv1.LatencyMax {
	return &adminv1.LatencyMax{Quantile: m.Quantile, Max: lasting(m.Max)}
}
