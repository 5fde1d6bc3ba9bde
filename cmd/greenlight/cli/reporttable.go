package cli

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"greenlight/api/adminv1"
)

// reportTables prints a table for each stage, and below it why a check has not passed,
// and what those saw that the table has no figure of.
func reportTables(w io.Writer, r *adminv1.Assessment) error {
	if len(r.GetStages()) == 0 {
		fmt.Fprintln(w, "Nothing was measured.")
		return nil
	}
	for i, s := range r.GetStages() {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if len(r.GetStages()) > 1 || r.GetSwitch() != nil {
			fmt.Fprintf(w, "%s\n", clean("stage "+s.GetName()))
		}
		t := newTable(w, "CHECK", "VERDICT", "FIGURE", "IDLE", "LIVE", "DIFFERENCE", "RULE")
		for _, v := range s.GetVerdicts() {
			verdictRows(t, v)
		}
		if err := t.flush(); err != nil {
			return err
		}
		reasons(w, s)
		seen(w, s)
	}
	return nil
}

// verdictRows adds one row for each measure; the first carries name and verdict.
func verdictRows(t *table, v *adminv1.Verdict) {
	if len(v.GetMeasures()) == 0 {
		t.row(v.GetCheck(), resultWord(v.GetResult()), "", "", "", "", "")
		return
	}
	check, verdict := v.GetCheck(), resultWord(v.GetResult())
	for _, m := range v.GetMeasures() {
		t.row(check, verdict, m.GetName(), quantity(m.Idle, m.GetUnit()), quantity(m.Live, m.GetUnit()),
			differenceWord(m), m.GetRule())
		check, verdict = " ", " "
	}
}

func reasons(w io.Writer, s *adminv1.Stage) {
	for _, v := range s.GetVerdicts() {
		if v.GetResult() == adminv1.Result_RESULT_PASS {
			continue
		}
		fmt.Fprintf(w, "\n%s\n", clean(fmt.Sprintf("%s %s: %s", v.GetCheck(), resultWord(v.GetResult()), v.GetSummary())))
		for _, m := range v.GetMeasures() {
			if m.GetWhy() != "" {
				fmt.Fprintf(w, "  %s\n", clean(m.GetName()+": "+m.GetWhy()))
			}
		}
		for _, e := range v.GetEvidence() {
			fmt.Fprintf(w, "  %s\n", clean(evidenceWords(e)))
		}
	}
}

// seen tells of the checks that passed and measure no figure.
func seen(w io.Writer, s *adminv1.Stage) {
	gap := "\n"
	for _, v := range s.GetVerdicts() {
		if v.GetResult() != adminv1.Result_RESULT_PASS || len(v.GetMeasures()) > 0 || v.GetSummary() == "" {
			continue
		}
		fmt.Fprintf(w, "%s%s\n", gap, clean(fmt.Sprintf("%s pass: %s", v.GetCheck(), v.GetSummary())))
		gap = ""
	}
}

// measureWords is "accuracy 0.93, live 0.94, -0.01 [-0.02, -0.003]: fail (not worse than live)".
func measureWords(m *adminv1.Measure) string {
	out := m.GetName()
	if idle := quantity(m.Idle, m.GetUnit()); idle != "" {
		out += " " + idle
	}
	if live := quantity(m.Live, m.GetUnit()); live != "" {
		out += ", live " + live
	}
	if d := differenceWord(m); d != "" {
		out += ", " + d
	}
	if m.GetRule() != "" {
		out += ": " + resultWord(m.GetResult()) + " (" + m.GetRule() + ")"
	}
	return out
}

// differenceWord is idle - live with its interval, or, where it was measured, idle / live.
func differenceWord(m *adminv1.Measure) string {
	switch {
	case m.GetDifference() != nil:
		return intervalWord(m.GetDifference(), m.GetUnit(), "%+.4g")
	case m.GetRatio() != nil:
		return "×" + intervalWord(m.GetRatio(), "", "%.4g")
	default:
		return ""
	}
}

func intervalWord(i *adminv1.Interval, unit, verb string) string {
	scale, suffix := scaleOf(i.GetValue(), unit)
	one := func(v float64) string { return fmt.Sprintf(verb, v*scale) }
	return fmt.Sprintf("%s%s [%s, %s]", one(i.GetValue()), suffix, one(i.GetLow()), one(i.GetHigh()))
}

// quantity is v in its unit with four digits that count; empty for none.
func quantity(v *float64, unit string) string {
	if v == nil {
		return ""
	}
	scale, suffix := scaleOf(*v, unit)
	return strconv.FormatFloat(*v*scale, 'g', 4, 64) + suffix
}

// scaleOf shows times below a second in milliseconds.
func scaleOf(v float64, unit string) (scale float64, suffix string) {
	if unit == "s" && math.Abs(v) < 1 {
		return 1000, "ms"
	}
	return 1, unit
}
