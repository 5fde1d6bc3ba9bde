package api

import (
	"greenlight/api/adminv1"
	"greenlight/rollout"
)

// traffic is unset while nothing was reported.
func traffic(v rollout.TrafficView) *adminv1.Traffic {
	if v == (rollout.TrafficView{}) {
		return nil
	}
	return &adminv1.Traffic{
		Since:   at(v.Since),
		Until:   at(v.Until),
		Users:   loads(v.Users),
		Shadow:  loads(v.Shadow),
		Preview: loads(v.Preview),
		Share:   share(v.Share),
		Late:    number(v.Late),
		Doubled: number(v.Doubled),
	}
}

func share(s rollout.ByColor[float64]) *adminv1.Share {
	if s.Blue+s.Green == 0 {
		return nil
	}
	return &adminv1.Share{BluePercent: s.Blue * 100, GreenPercent: s.Green * 100}
}

func loads(l rollout.ByColor[rollout.Load]) *adminv1.ColorLoads {
	if l == (rollout.ByColor[rollout.Load]{}) {
		return nil
	}
	return &adminv1.ColorLoads{Blue: load(l.Blue), Green: load(l.Green)}
}

func load(l rollout.Load) *adminv1.ColorLoad {
	if l.Requests == 0 {
		return nil
	}
	return &adminv1.ColorLoad{
		Requests:          number(l.Requests),
		RequestsPerSecond: l.Rate,
		ErrorRatio:        l.Errors,
		RejectedRatio:     l.Rejected,
		GoneRatio:         l.Gone,
		P50Seconds:        l.P50,
		P90Seconds:        l.P90,
		P99Seconds:        l.P99,
	}
}

// readiness is unset while there is no color to go back to.
func readiness(r rollout.Readiness) *adminv1.ReturnReadiness {
	if !r.Asked {
		return nil
	}
	return &adminv1.ReturnReadiness{
		Ready:             r.Ready,
		Short:             r.Short,
		Why:               r.Why,
		Color:             colors[r.Color],
		Endpoints:         number(r.Endpoints),
		RequestsPerSecond: r.Rate,
		CarriedPerSecond:  r.Carried,
	}
}

func mirror(m rollout.Mirror) *adminv1.Mirror {
	if m == (rollout.Mirror{}) {
		return nil
	}
	return &adminv1.Mirror{To: colors[m.To], Percent: percent(m.Percent)}
}

func carried(c rollout.Carried) *adminv1.Carried {
	if c == (rollout.Carried{}) {
		return nil
	}
	return &adminv1.Carried{Version: c.Version, RequestsPerSecond: c.Rate, Endpoints: number(c.Endpoints)}
}

// judging leaves out how the sequential tests keep their books.
func judging(j rollout.Judging) *adminv1.Judging {
	if j.Since.IsZero() && j.Last.IsZero() {
		return nil
	}
	return &adminv1.Judging{
		Since:  at(j.Since),
		Last:   at(j.Last),
		Live:   answered(j.Live),
		Idle:   answered(j.Idle),
		Waived: j.Waived,
	}
}

func answered(a rollout.Answered) *adminv1.Answered {
	return &adminv1.Answered{Requests: int64(a.Requests), Errors: int64(a.Errors), Estimated: a.Scaled}
}

func entry(e rollout.Entry) *adminv1.Entry {
	return &adminv1.Entry{Fleet: e.Fleet, Node: e.Node, Address: e.Address}
}
