package serve

import (
	"github.com/prometheus/client_golang/prometheus"

	"greenlight/policy"
	"greenlight/rollout"
)

func modelDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("greenlight_model_"+name, help, append([]string{"model"}, labels...), nil)
}

var (
	backDesc     = modelDesc("rollback_ready", "1 while the old color could take all users now, 0 while it could not; absent while there is nothing to go back to.")
	rateDesc     = modelDesc("user_requests_per_second", "Users' requests a second that a color answered, over the last ten seconds.", "color")
	errorsDesc   = modelDesc("user_error_ratio", "Share of users' reported requests that a color failed, 0 to 1; absent without requests.", "color")
	latencyDesc  = modelDesc("user_latency_seconds", "Quantiles of how long a color took for users' reported requests; absent without requests.", "color", "quantile")
	shareDesc    = modelDesc("user_share_ratio", "Share that a color really gets of users' requests, 0 to 1, to be compared with its weight; absent without requests.", "color")
	mirrorDesc   = modelDesc("mirror_ratio", "Share of users' requests that is copied to a color, 0 to 1.", "color")
	driftDesc    = modelDesc("drift", "1 while what is live is not what the policy wants (spec.live), and no switch is on its way there.")
	silentDesc   = modelDesc("silent_nodes", "Nodes that carried users' requests and report none any more.")
	reportedDesc = modelDesc("user_report_time_seconds", "Unix time up to which users' requests were reported; absent when none were.")
)

var trafficDescs = []*prometheus.Desc{backDesc, rateDesc, errorsDesc, latencyDesc, shareDesc, mirrorDesc, silentDesc, driftDesc, reportedDesc}

// collectTraffic tells what users' requests met lately, and whether they could go back.
func collectTraffic(gauge func(d *prometheus.Desc, v float64, labels ...string), s rollout.Status) {
	name := s.State.Model
	if s.Return.Asked {
		gauge(backDesc, truth(s.Return.Ready), name)
	}
	gauge(silentDesc, float64(len(s.Silent)), name)
	gauge(driftDesc, truth(s.Drift != ""), name)
	for _, c := range policy.Colors {
		mirrored := 0.0
		if s.State.Mirror.To == c {
			mirrored = float64(s.State.Mirror.Percent) / float64(policy.Full)
		}
		gauge(mirrorDesc, mirrored, name, string(c))
	}
	if !s.Traffic.Known() {
		return
	}
	v := s.Traffic.View(s.State.Weights)
	gauge(reportedDesc, float64(v.Until.UnixMilli())/1000, name)
	for _, c := range policy.Colors {
		l := v.Users.Of(c)
		gauge(rateDesc, l.Rate, name, string(c))
		if v.Share.Blue+v.Share.Green > 0 {
			gauge(shareDesc, v.Share.Of(c), name, string(c))
		}
		if l.Requests == 0 {
			continue
		}
		gauge(errorsDesc, l.Errors, name, string(c))
		if l.P99 > 0 {
			gauge(latencyDesc, l.P50, name, string(c), "0.5")
			gauge(latencyDesc, l.P90, name, string(c), "0.9")
			gauge(latencyDesc, l.P99, name, string(c), "0.99")
		}
	}
}
