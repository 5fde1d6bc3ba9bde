package report

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"image/color"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"greenlight/rollout"
)

// The size of a picture in points; the page scales it.
const (
	chartWidth  vg.Length = 430
	chartHeight vg.Length = 290
)

var (
	axisColor = color.NRGBA{R: 0x40, G: 0x48, B: 0x50, A: 0xff}
	gridColor = color.NRGBA{R: 0xe2, G: 0xe6, B: 0xea, A: 0xff}
)

var errNoPoint = errors.New("it has no point that can be drawn")

// picture draws c as an SVG element with id as the beginning of its ids.
func picture(c rollout.Chart, id string, t rollout.Target) (template.HTML, error) {
	series := drawable(c)
	x, y, ok := ranges(c, series)
	if !ok {
		return "", errNoPoint
	}
	p := plot.New()
	p.BackgroundColor = color.Transparent
	dress(p, c)
	p.Add(grid{})
	if c.Diagonal {
		p.Add(diagonal{})
	}
	for i, s := range series {
		look := lookOf(i, s.Name, t)
		mark := marked{points: s, kind: c.Kind, look: look}
		p.Add(mark)
		p.Legend.Add(" "+legendName(s.Name, t)+" ", mark)
	}
	// Adding a plotter stretches the axes; the ranges here have the last word.
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = x.low, x.high, y.low, y.high
	canvas := vgsvg.NewWith(vgsvg.UseWH(chartWidth, chartHeight), vgsvg.EmbedFonts(false))
	p.Draw(draw.Crop(draw.New(canvas), 2, -10, 0, -4)) // the last labels reach beyond their axes
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return "", fmt.Errorf("write SVG: %w", err)
	}
	return inline(out.String(), id, c, series)
}

// inline makes a part of a page of a whole SVG document: without prolog and
// name spaces, and with a title and a description for those who can't see it.
func inline(svg, id string, c rollout.Chart, series []rollout.Series) (template.HTML, error) {
	_, rest, found := strings.Cut(svg, "<svg")
	if !found {
		return "", errors.New("no SVG element was written")
	}
	_, body, found := strings.Cut(rest, ">")
	if !found {
		return "", errors.New("the SVG element does not end")
	}
	var described []string
	for _, s := range series {
		described = append(described, word(s.Name))
	}
	about := fmt.Sprintf("%s against %s", word(c.YLabel), word(c.XLabel))
	if len(described) > 0 {
		about += "; " + strings.Join(described, ", ")
	}
	opening := fmt.Sprintf(`<svg viewBox="0 0 %g %g" role="img" aria-labelledby="%s-title %s-about">`+
		`<title id="%s-title">%s</title><desc id="%s-about">%s</desc>`,
		chartWidth.Points(), chartHeight.Points(), id, id,
		id, template.HTMLEscapeString(word(c.Title)), id, template.HTMLEscapeString(about))
	return template.HTML(opening + body), nil
}

// dress gives p its labels, ticks and fonts.
func dress(p *plot.Plot, c rollout.Chart) {
	face := func(size vg.Length) font.Font {
		return font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size)
	}
	p.Legend.TextStyle.Font = face(10)
	p.Legend.TextStyle.Color = axisColor
	// A ROC rises on the left, a latency's distribution ends on the right.
	p.Legend.Top, p.Legend.Left = !c.Diagonal, c.Kind == rollout.ChartLine && !c.Diagonal
	p.Legend.ThumbnailWidth = 26
	p.Legend.Padding = 2
	for axis, label := range map[*plot.Axis]string{&p.X: c.XLabel, &p.Y: c.YLabel} {
		axis.Label.Text = cut(word(label), 60)
		axis.Label.TextStyle.Font = face(11)
		axis.Label.TextStyle.Color = axisColor
		axis.Label.Padding = 4
		axis.Tick.Label.Font = face(9.5)
		axis.Tick.Label.Color = axisColor
		axis.Tick.Color = axisColor
		axis.Color = axisColor
		axis.Tick.Marker = linearTicks{}
		axis.Padding = 0
	}
	if c.LogX {
		p.X.Scale = plot.LogScale{}
		p.X.Tick.Marker = logTicks{}
	}
}

func legendName(name string, t rollout.Target) string {
	switch {
	case name == "idle" && t.Idle != "":
		return cut(duty(t.Idle, "idle"), 40)
	case name == "live" && t.Live != "":
		return cut(duty(t.Live, "live"), 40)
	default:
		return cut(word(name), 40)
	}
}
