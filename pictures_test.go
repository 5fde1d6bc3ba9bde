package greenlight

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
)

var update = flag.Bool("update", false, "draw docs/pictures anew")

// shown is the example policy of each shape, and how many minutes of it are drawn.
var shown = map[policy.Shape]string{
	policy.ShapeInstant: "tagger", policy.ShapeSteps: "fraud", policy.ShapeLinear: "ranking",
	policy.ShapeCanary: "lifetime", policy.ShapeExponential: "eta", policy.ShapeRolling: "giant",
}

// The pictures of docs/shifting.md are drawn from the example policies themselves.
func TestPicturesOfShapes(t *testing.T) {
	models := map[string]*policy.Model{}
	for _, m := range policy.Read("examples/policies").Models() {
		models[m.Name] = m
	}
	text, err := os.ReadFile("docs/shifting.md")
	if err != nil {
		t.Fatal(err)
	}
	for shape, name := range shown {
		m := models[name]
		if m == nil || m.Shape != shape {
			t.Errorf("example %s is not of the shape %s: %+v", name, shape, m)
			continue
		}
		file := filepath.Join("docs", "pictures", "shape-"+string(shape)+".svg")
		want := drawShape(m)
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s is not what examples/policies says (%v): go test . -update draws it anew", file, err)
		}
		if !strings.Contains(string(text), "pictures/shape-"+string(shape)+".svg") {
			t.Errorf("docs/shifting.md does not show %s", file)
		}
	}
}

// The measures of a picture, in pixels.
const (
	width, height           = 640, 220
	left, right, top, floor = 52, 24, 16, 176
)

// rollingSteps are the weights of four instances, of which new ones take five minutes
// to get ready.
func rollingSteps(r *policy.Rolling) []policy.Step {
	const all, warmUp = 4, 5 * time.Minute
	batch := r.Batch.Of(all)
	var out []policy.Step
	for fresh, old := batch, all-batch; ; fresh += batch {
		out = append(out, policy.Step{Weight: policy.Weight(fresh * int(policy.Full) / (fresh + old)), Hold: r.Hold})
		old = max(0, old-batch) // the next ones make room, and the weight moves with it
		next := policy.Step{Weight: policy.Weight(fresh * int(policy.Full) / (fresh + old)), Hold: r.Hold + warmUp}
		if old == 0 {
			next.Hold = 0
			return append(out, next)
		}
		out = append(out, next)
	}
}

// tick is the shortest round time of which at most nine fit into d.
func tick(d time.Duration) time.Duration {
	for _, t := range []time.Duration{time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute} {
		if d/t <= 9 {
			return t
		}
	}
	return time.Hour
}

// drawShape is the new color's weight over time, with the shadow before it and the
// bake after it, as if each step were confirmed at once.
func drawShape(m *policy.Model) string {
	shadow, bake := m.Shadow.For, m.Bake.For
	if m.Shadow.Percent == 0 {
		shadow = 0
	}
	total := shadow + bake
	steps := m.Shift
	if m.Rolling != nil {
		steps = rollingSteps(m.Rolling)
	}
	for _, s := range steps {
		total += s.Hold
	}
	lead := total / 12 // before the first weight
	total += lead
	x := func(d time.Duration) float64 { return left + float64(d)/float64(total)*(width-left-right) }
	y := func(w policy.Weight) float64 { return floor - float64(w)/float64(policy.Full)*(floor-top) }

	var line strings.Builder
	at := lead + shadow
	fmt.Fprintf(&line, "M%.1f %.1fH%.1f", x(0), y(0), x(at))
	for _, s := range steps {
		fmt.Fprintf(&line, "V%.1fH%.1f", y(s.Weight), x(at+s.Hold))
		at += s.Hold
	}
	full := at
	fmt.Fprintf(&line, "H%.1f", x(total))

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="Weight of the new color over time: %s">`+"\n", width, height, width, height, m.Shape)
	b.WriteString("<style>text{font:12px system-ui,sans-serif;fill:#57606a}.axis{stroke:#8c959f;fill:none}.grid{stroke:#8c959f;stroke-opacity:.25}.weight{stroke:#1a7f37;stroke-width:2.5;fill:none}.bake{fill:#1a7f37;fill-opacity:.12}.shadow{fill:#8250df;fill-opacity:.14}" +
		"@media(prefers-color-scheme:dark){text{fill:#9198a1}.weight{stroke:#3fb950}.bake{fill:#3fb950}.shadow{fill:#ab7df8}}</style>\n")
	if shadow > 0 {
		fmt.Fprintf(&b, `<rect class="shadow" x="%.1f" y="%d" width="%.1f" height="%d"/><text x="%.1f" y="%d">shadow</text>`+"\n", x(lead), top, x(lead+shadow)-x(lead), floor-top, x(lead)+4, floor-6)
	}
	fmt.Fprintf(&b, `<rect class="bake" x="%.1f" y="%d" width="%.1f" height="%d"/><text x="%.1f" y="%d">bake</text>`+"\n", x(full), top, x(total)-x(full), floor-top, x(full)+4, floor-6)
	for _, w := range []policy.Weight{0, 2500, 5000, 7500, policy.Full} {
		fmt.Fprintf(&b, `<path class="grid" d="M%d %.1fH%d"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", left, y(w), width-right, left-6, y(w)+4, w)
	}
	fmt.Fprintf(&b, `<path class="axis" d="M%d %dV%dH%d"/>`+"\n", left, top, floor, width-right)
	every := tick(total - lead)
	for d := time.Duration(0); d <= total-lead; d += every {
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(lead+d), floor+16, calendar.PlainDuration(d))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">the new color's share of users' requests, by the time since its validation passed</text>`+"\n", (left+width-right)/2, height-8)
	fmt.Fprintf(&b, `<path class="weight" d="%s"/>`+"\n</svg>\n", line.String())
	return b.String()
}
