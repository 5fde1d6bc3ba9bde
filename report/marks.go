package report

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"greenlight/rollout"
)

// look is how one series is told from the others: by color, by dashes and by
// the shape of its points, so that no one needs to see the color.
type look struct {
	color  color.NRGBA
	dashes []vg.Length
	shape  draw.GlyphDrawer
}

var (
	green  = color.NRGBA{R: 0x1a, G: 0x7f, B: 0x45, A: 0xff}
	blue   = color.NRGBA{R: 0x1f, G: 0x5f, B: 0xc4, A: 0xff}
	purple = color.NRGBA{R: 0x8a, G: 0x3f, B: 0xa8, A: 0xff}
	brown  = color.NRGBA{R: 0x9a, G: 0x55, B: 0x10, A: 0xff}
)

// lookOf is the look of the i-th series: a model's colors look as they are
// called, the judged one in full lines and the other one dashed.
func lookOf(i int, name string, t rollout.Target) look {
	looks := [maxSeries]look{
		{green, nil, draw.CircleGlyph{}},
		{blue, []vg.Length{6, 3}, draw.PyramidGlyph{}},
		{purple, []vg.Length{2, 2}, draw.RingGlyph{}},
		{brown, []vg.Length{8, 3, 2, 3}, draw.BoxGlyph{}},
	}
	named := map[string]color.NRGBA{"green": green, "blue": blue}
	out := looks[i]
	switch name {
	case "idle":
		out = looks[0]
		if c, ok := named[t.Idle]; ok {
			out.color = c
		}
	case "live":
		out = looks[1]
		if c, ok := named[t.Live]; ok {
			out.color = c
		}
	}
	return out
}

func (l look) line(width vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: l.color, Width: width, Dashes: l.dashes}
}

// marked draws one series.
type marked struct {
	points rollout.Series
	kind   rollout.ChartKind
	look   look
}

// Plot implements plot.Plotter.
func (m marked) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	at := func(i int) vg.Point { return vg.Point{X: x(m.points.X[i]), Y: y(m.points.Y[i])} }
	switch m.kind {
	case rollout.ChartPoints:
		for i := range m.points.X {
			c.DrawGlyph(m.glyph(), at(i))
		}
	case rollout.ChartBars:
		outline := m.outline(x, y)
		fill := m.look.color
		fill.A = 0x30
		c.FillPolygon(fill, outline)
		c.StrokeLines(m.look.line(1.4), outline)
	default:
		line := make([]vg.Point, len(m.points.X))
		for i := range line {
			line[i] = at(i)
		}
		c.StrokeLines(m.look.line(1.8), line)
	}
}

func (m marked) glyph() draw.GlyphStyle {
	return draw.GlyphStyle{Color: m.look.color, Radius: 2.2, Shape: m.look.shape}
}

// outline is the upper edge of all bins, with both ends on the axis.
func (m marked) outline(x, y func(float64) vg.Length) []vg.Point {
	out := []vg.Point{{X: x(m.points.X[0]), Y: y(0)}}
	for i, v := range m.points.Y {
		out = append(out, vg.Point{X: x(m.points.X[i]), Y: y(v)}, vg.Point{X: x(m.points.X[i+1]), Y: y(v)})
	}
	return append(out, vg.Point{X: x(m.points.X[len(m.points.Y)]), Y: y(0)})
}

// Thumbnail implements plot.Thumbnailer, for the legend.
func (m marked) Thumbnail(c *draw.Canvas) {
	middle := c.Center()
	if m.kind == rollout.ChartPoints {
		c.DrawGlyph(m.glyph(), middle)
		return
	}
	c.StrokeLine2(m.look.line(1.8), c.Min.X, middle.Y, c.Max.X, middle.Y)
}

// grid draws a thin line at every label.
type grid struct{}

// Plot implements plot.Plotter.
func (grid) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := draw.LineStyle{Color: gridColor, Width: 0.6}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		c.StrokeLine2(style, x(t.Value), c.Min.Y, x(t.Value), c.Max.Y)
	}
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		c.StrokeLine2(style, c.Min.X, y(t.Value), c.Max.X, y(t.Value))
	}
}

// diagonal draws y = x; both axes show the same stretch.
type diagonal struct{}

// Plot implements plot.Plotter.
func (diagonal) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	low, high := max(p.X.Min, p.Y.Min), min(p.X.Max, p.Y.Max)
	style := draw.LineStyle{Color: axisColor, Width: 0.8, Dashes: []vg.Length{1, 3}}
	c.StrokeLine2(style, x(low), y(low), x(high), y(high))
}
