package cli

import (
	"fmt"
	"strconv"
	"time"

	"greenlight/api/adminv1"
)

// trafficLines show what users' requests met lately, and what that says.
func (a *app) trafficLines(b *block, m *adminv1.ModelStatus) {
	tr := m.GetTraffic()
	if tr == nil {
		b.line("traffic", "unknown: no fleet reports users' requests")
	} else {
		a.loadLines(b, m)
	}
	for _, n := range m.GetSilentNodes() {
		b.line("silent", "%s/%s %s", n.GetFleet(), n.GetNode(), n.GetDetail())
	}
	if m.GetJudgement() != "" {
		b.line("judgement", "%s", m.GetJudgement())
	}
	if w := m.GetState().GetJudging().GetWaived(); w != "" {
		b.line("judgement", "not waited for: %s", w)
	}
	if r := m.GetReturnReadiness(); r != nil {
		b.line("way back", "%s", returnWords(r))
	}
}

func (a *app) loadLines(b *block, m *adminv1.ModelStatus) {
	tr, w := m.GetTraffic(), m.GetState().GetWeights()
	b.line("traffic", "of %s until %s ago", span(tr.GetUntil().AsTime().Sub(tr.GetSince().AsTime())), a.age(tr.GetUntil()))
	for _, c := range []adminv1.Color{adminv1.Color_COLOR_BLUE, adminv1.Color_COLOR_GREEN} {
		l := loadOf(tr.GetUsers(), c)
		if l == nil {
			b.line("traffic", "%-5s no user's request", colorWord(c))
			continue
		}
		b.line("traffic", "%-5s %s%s", colorWord(c), shareWords(tr.GetShare(), w, c), loadWords(l))
	}
	for _, kind := range []struct {
		name  string
		loads *adminv1.ColorLoads
	}{{"mirrored", tr.GetShadow()}, {"preview", tr.GetPreview()}} {
		for _, c := range []adminv1.Color{adminv1.Color_COLOR_BLUE, adminv1.Color_COLOR_GREEN} {
			if l := loadOf(kind.loads, c); l != nil {
				b.line("traffic", "%-5s %s: %s", colorWord(c), kind.name, loadWords(l))
			}
		}
	}
	if n := tr.GetLate(); n > 0 {
		b.line("traffic", "%s came too late to count", plural(n, "report"))
	}
	if n := tr.GetDoubled(); n > 0 {
		b.line("traffic", "%s came twice and counted once", plural(n, "report"))
	}
}

func loadOf(l *adminv1.ColorLoads, c adminv1.Color) *adminv1.ColorLoad {
	if c == adminv1.Color_COLOR_BLUE {
		return l.GetBlue()
	}
	return l.GetGreen()
}

// loadWords is "475 requests/s, 0.1% failed, p50 12ms, p99 40ms"; what nobody met
// is left out, but failures are always told.
func loadWords(l *adminv1.ColorLoad) string {
	out := fmt.Sprintf("%s requests/s, %s failed", figure(l.GetRequestsPerSecond()), ratioWord(l.GetErrorRatio()))
	if l.GetRejectedRatio() > 0 {
		out += fmt.Sprintf(", %s rejected", ratioWord(l.GetRejectedRatio()))
	}
	if l.GetGoneRatio() > 0 {
		out += fmt.Sprintf(", %s gave up", ratioWord(l.GetGoneRatio()))
	}
	if l.GetP99Seconds() > 0 {
		out += fmt.Sprintf(", p50 %s, p99 %s", latencyWord(l.GetP50Seconds()), latencyWord(l.GetP99Seconds()))
	}
	return out
}

// shareWords is the share that a color really gets beside its weight.
func shareWords(s *adminv1.Share, w *adminv1.Weights, c adminv1.Color) string {
	if s == nil {
		return ""
	}
	got, weight := s.GetBluePercent(), w.GetBluePercent()
	if c == adminv1.Color_COLOR_GREEN {
		got, weight = s.GetGreenPercent(), w.GetGreenPercent()
	}
	return fmt.Sprintf("%s of users (weight %s%%), ", ratioWord(got/100), percentWord(weight))
}

// returnWords says whether users could go back now, and by which figures.
func returnWords(r *adminv1.ReturnReadiness) string {
	color := colorWord(r.GetColor())
	if !r.GetReady() {
		text := fmt.Sprintf("%s could not take all users now: %s", color, r.GetWhy())
		if r.GetShort() {
			text += "; until it can, no more weight leaves it and it is not let go"
		}
		return text
	}
	text := fmt.Sprintf("%s could take all users now: %s ready", color, plural(r.GetEndpoints(), "endpoint"))
	if r.GetRequestsPerSecond() > 0 {
		text += fmt.Sprintf(" for %s requests/s", figure(r.GetRequestsPerSecond()))
	}
	if r.GetCarriedPerSecond() > 0 {
		return text + fmt.Sprintf(", each has answered %s/s before", figure(r.GetCarriedPerSecond()))
	}
	return text + "; what one can carry was not measured"
}

// mirrorWords is empty while nothing is mirrored.
func mirrorWords(m *adminv1.Mirror) string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf("%s%% of users' requests copied to %s", percentWord(m.GetPercent()), colorWord(m.GetTo()))
}

// figure is v with three digits that count, and no exponent.
func figure(v float64) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil {
		rounded = v
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// ratioWord is a share of 0 to 1 as "0.12%".
func ratioWord(r float64) string { return figure(r*100) + "%" }

// latencyWord is a time in seconds as "12.3ms" or "1.2s".
func latencyWord(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d >= time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	if d >= time.Millisecond {
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}
