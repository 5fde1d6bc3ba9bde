package serve

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"greenlight/rollout"
)

var (
	twiceDesc     = modelDesc("second_instances", "Instances, ready or not, of the color that is not live.")
	hoursDesc     = modelDesc("second_instance_hours_total", "Instance-hours of the color that is not live, since the model is known: what running it twice took.")
	moneyDesc     = modelDesc("second_cost", "All of these instance-hours at the present price, the policy's cost.instanceHour; absent without one. It falls when the price does.", "currency")
	drillDesc     = modelDesc("drill_seconds", "How long all users took in the last drill that went well: back to the old color, and forth again.", "way")
	drillTimeDesc = modelDesc("drill_time_seconds", "Unix time at which that drill began.")
)

var costDescs = []*prometheus.Desc{twiceDesc, hoursDesc, moneyDesc, drillDesc, drillTimeDesc}

// collectCost tells what running the model twice takes, and what its way back took.
func collectCost(c chan<- prometheus.Metric, gauge func(d *prometheus.Desc, v float64, labels ...string), s rollout.Status, now time.Time) {
	name, hours := s.State.Model, s.State.Twice.At(now)
	gauge(twiceDesc, float64(s.State.Twice.Instances), name)
	c <- prometheus.MustNewConstMetric(hoursDesc, prometheus.CounterValue, hours, name)
	if p := s.Policy; p != nil && p.Cost.InstanceHour > 0 {
		gauge(moneyDesc, hours*p.Cost.InstanceHour, name, p.Cost.Currency)
	}
	if s.State.Switch == nil {
		return
	}
	for _, d := range slices.Backward(s.State.Switch.Drills) {
		if d.Problem == "" && !d.Ended.IsZero() {
			gauge(drillDesc, d.Back.Seconds(), name, "back")
			gauge(drillDesc, d.Forth.Seconds(), name, "forth")
			gauge(drillTimeDesc, float64(d.Began.UnixMilli())/1000, name)
			return
		}
	}
}
