package report_test

import (
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"greenlight/policy"
	"greenlight/report"
	"greenlight/rollout"
)

// hostile is what a model server, a file or a person could have written.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)></title></svg>]]>--><style>*{}</style>&{{.}}` + "\x00\x1b[31m\u202e"

func poisoned() rollout.Assessment {
	series := []rollout.Series{{Name: hostile, X: []float64{0, 1, 2}, Y: []float64{1, 2}}}
	points := []rollout.Series{{Name: hostile, X: []float64{1, 2}, Y: []float64{1, 2}}}
	measures := []rollout.Measure{{Name: hostile, Unit: hostile, Idle: ptr(1), Rule: hostile, Result: hostile, Why: hostile}}
	return rollout.Assessment{
		Model:  hostile,
		Target: rollout.Target{Idle: hostile, IdleVersion: hostile, Live: hostile, LiveVersion: hostile},
		Switch: &rollout.Switch{
			ID: hostile, From: hostile, To: hostile, FromVersion: hostile, ToVersion: hostile,
			Actor: hostile, Reason: hostile, Outcome: hostile, Cause: hostile,
		},
		Stages: []rollout.Stage{{Name: hostile, Verdicts: []rollout.Verdict{{
			Check: hostile, Kind: hostile, Result: hostile, Summary: hostile, Measures: measures,
			Figures:  map[string]float64{hostile: 1},
			Evidence: []rollout.Evidence{{Endpoint: hostile, Case: hostile, Expected: hostile, Got: hostile}},
			Detail: &rollout.Detail{
				Slices: []rollout.Slice{{Column: hostile, Value: hostile, Rows: 1, Measures: measures}},
				Charts: []rollout.Chart{
					{Title: hostile, XLabel: hostile, YLabel: hostile, Kind: rollout.ChartBars, Series: series},
					{Title: hostile, XLabel: hostile, YLabel: hostile, Kind: rollout.ChartLine, Series: points},
				},
				Cases: []rollout.Case{{Where: hostile, Input: hostile, Expected: hostile, Idle: hostile, Live: hostile}},
				Notes: []string{hostile},
			},
		}}}},
	}
}

func TestHostileWordsAreText(t *testing.T) {
	page := write(t, poisoned())
	checkPage(t, page)
	if n := strings.Count(page, "&lt;script&gt;alert(1)"); n < 40 {
		t.Errorf("the words stand %d times on the page; not everything was shown", n)
	}
	for _, bad := range []string{"\x00", "\x1b", "\u202e"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

func TestPageNeedsNothingElse(t *testing.T) {
	page := write(t, sample())
	checkPage(t, page)
	if !strings.Contains(page, `content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`) {
		t.Error("the page has no content security policy")
	}
	if found := regexp.MustCompile(`(?i)(https?:)?//|url\(|@import`).FindString(page); found != "" {
		t.Errorf("the page holds %q", found)
	}
}

// elements are all that a page is made of.
var elements = strings.Fields(`html head meta title style body header main section article h1 h2 h3 h4 p span small strong
	a div dl dt dd table thead tbody tr th td figure figcaption details summary ul li svg g path rect text desc`)

// checkPage fails if the page holds anything but its own elements, an attribute
// that runs or fetches something, an id twice, or a reference to no id.
func checkPage(t testing.TB, page string) {
	t.Helper()
	ids, wanted := map[string]bool{}, []string{}
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		token := z.Token()
		if !strings.Contains(" "+strings.Join(elements, " ")+" ", " "+token.Data+" ") {
			t.Errorf("the page holds the element %s", token)
		}
		for _, a := range token.Attr {
			switch {
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("the id %q is there twice", a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
				wanted = append(wanted, a.Val[1:])
			case a.Key == "aria-labelledby":
				wanted = append(wanted, strings.Fields(a.Val)...)
			case strings.HasPrefix(a.Key, "on") || a.Key == "href" || a.Key == "src" || strings.HasPrefix(a.Key, "xmlns"):
				t.Errorf("%s has the attribute %s=%q", token.Data, a.Key, a.Val)
			}
		}
	}
	for _, id := range wanted {
		if !ids[id] {
			t.Errorf("the page refers to #%s, which is not there", id)
		}
	}
}

// Strange numbers and long lists must neither end the program nor make a page
// that no browser shows.
func TestPageIsBounded(t *testing.T) {
	a := sample()
	long := strings.Repeat("x", 1<<20)
	v := quality()
	v.Summary, v.Evidence[0].Got, v.Detail.Cases[0].Input, v.Detail.Charts[0].Title = long, long, long, long
	for range 200 {
		v.Detail.Charts = append(v.Detail.Charts, residuals())
		v.Detail.Slices = append(v.Detail.Slices, v.Detail.Slices[0])
	}
	a.Stages = nil
	for range 300 {
		s := rollout.Stage{Name: "5%"}
		for range 100 {
			s.Verdicts = append(s.Verdicts, v)
		}
		a.Stages = append(a.Stages, s)
	}
	a.Stages = append(a.Stages[:20], a.Stages[290:]...)
	page := write(t, a)
	checkPage(t, page)
	if len(page) > 16<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
	for _, said := range []string{"the page would become too large", "36 more checks are not shown", "more pictures"} {
		if !strings.Contains(page, said) {
			t.Errorf("the page does not say %q", said)
		}
	}
}

func FuzzHTML(f *testing.F) {
	for _, a := range []rollout.Assessment{{}, sample(), poisoned()} {
		raw, err := json.Marshal(a)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, 0.0, 1.0, uint8(0))
	}
	f.Add([]byte("{}"), math.NaN(), math.Inf(1), uint8(1))
	f.Add([]byte("{}"), 1e300, -1e300, uint8(2))
	f.Add([]byte("{}"), 1e11, 1e11+1e-4, uint8(7))
	f.Add([]byte("{}"), 1e-300, 5e-324, uint8(15))
	f.Fuzz(func(t *testing.T, raw []byte, x, y float64, how uint8) {
		var a rollout.Assessment
		if json.Unmarshal(raw, &a) != nil {
			return
		}
		numbers := []float64{x, y, 0, x + y, x * y, -x, math.NaN()}
		chart := rollout.Chart{
			Kind:     []rollout.ChartKind{rollout.ChartLine, rollout.ChartPoints, rollout.ChartBars}[how%3],
			Diagonal: how&4 != 0, LogX: how&8 != 0,
			Series: []rollout.Series{{X: numbers, Y: numbers}, {X: numbers[:3], Y: numbers[:2]}, {X: numbers[:2], Y: numbers[1:2]}, {}},
		}
		a.Stages = append(a.Stages, rollout.Stage{Verdicts: []rollout.Verdict{{
			Took: time.Duration(x), At: time.Unix(int64(y), 0), Figures: map[string]float64{"x": x},
			Measures: []rollout.Measure{{Idle: &x, Unit: "s", Difference: &rollout.Interval{Value: x, Low: y, High: x, Confidence: y}, PValue: &y}},
			Detail:   &rollout.Detail{Charts: []rollout.Chart{chart}},
		}}})
		page, err := report.HTML(a)
		if err != nil {
			t.Fatal(err)
		}
		checkPage(t, string(page))
	})
}

func TestInconclusiveCountsAsThePolicySays(t *testing.T) {
	unclear := rollout.Verdict{Check: "errors", Result: rollout.Inconclusive}
	a := rollout.Assessment{
		Model:  "fraud",
		Stages: []rollout.Stage{{Name: "bake", Verdicts: []rollout.Verdict{{Check: "ready", Result: rollout.Pass}, unclear}}},
	}
	const (
		pass    = "All checks together: <strong>pass</strong>"
		unknown = "All checks together: <strong>inconclusive</strong>"
	)
	if page := write(t, a); !strings.Contains(page, unknown) {
		t.Error("an inconclusive check without a policy is not shown as one")
	}
	a.Switch = &rollout.Switch{Plan: policy.Model{Validate: []policy.Check{{Name: "errors", OnInconclusive: policy.InconclusivePasses}}}}
	if page := write(t, a); !strings.Contains(page, unknown) {
		t.Error("what validate lets pass, the bake does, too")
	}
	a.Switch.Plan.Bake.Checks = a.Switch.Plan.Validate
	if page := write(t, a); !strings.Contains(page, pass) {
		t.Error("the policy lets it pass, and the page does not")
	}
}
