package plan

import (
	"bytes"
	"fmt"
	"strings"
)

// Text is the plan for people. Color is for terminals. Source is the text of a policy
// file; nil if it can't be had.
func (p Plan) Text(color bool, source func(file string) []byte) []byte {
	w := &textWriter{color: color}
	if len(p.Problems) > 0 {
		for _, problem := range p.Problems {
			w.line(0, "%s", problem.Render(source(problem.File)))
		}
		w.line(0, "%s; nothing of the change is taken", count(len(p.Problems), "problem"))
		return w.out.Bytes()
	}
	w.line(0, "%s compared with %s", p.Folder, p.Against)
	for _, note := range p.Notes {
		w.line(0, "! %s", note)
	}
	for _, m := range p.Models {
		w.model(m)
	}
	for _, f := range p.Fleets {
		w.fleet(f)
	}
	w.clients(p.Clients)
	w.line(0, "")
	w.line(0, "%s", w.paint(bold, p.sentence()))
	return w.out.Bytes()
}

// The colors, as terminals take them.
const (
	bold  = "\x1b[1m"
	green = "\x1b[32m"
	red   = "\x1b[31m"
	cyan  = "\x1b[36m"
	reset = "\x1b[0m"
)

type textWriter struct {
	out   bytes.Buffer
	color bool
}

func (w *textWriter) paint(code, text string) string {
	if !w.color || code == "" || text == "" {
		return text
	}
	return code + text + reset
}

func (w *textWriter) line(depth int, format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), " ")
	fmt.Fprintf(&w.out, "%s%s\n", strings.Repeat("    ", depth), text)
}

// mark is how a change is told in one sign, and in which color.
func (c Change) mark() (sign, code string) {
	switch c {
	case Added:
		return "+", green
	case Removed:
		return "-", red
	case Changed:
		return "~", cyan
	default:
		return "=", ""
	}
}

// item is a line with the sign of a change.
func (w *textWriter) item(depth int, c Change, text string) {
	sign, code := c.mark()
	w.line(depth, "%s %s", w.paint(code, sign), text)
}

func (w *textWriter) heading(c Change, parts ...string) {
	var said []string
	for _, part := range parts {
		if part != "" {
			said = append(said, part)
		}
	}
	said[0] = w.paint(bold, said[0])
	w.line(0, "")
	w.item(0, c, strings.Join(said, "  "))
}

func (w *textWriter) fields(all []Field) {
	for _, f := range all {
		text := fmt.Sprintf("%s  %s  (%s)", f.Field, f.arrow(), f.Effect.Meaning())
		switch {
		case f.Old == "":
			w.item(1, Added, text)
		case f.New == "":
			w.item(1, Removed, text)
		default:
			w.item(1, Changed, text)
		}
		if len(f.Also) > 0 {
			w.line(2, "and so do %s, which follow it", strings.Join(f.Also, ", "))
		}
	}
}

func (w *textWriter) notes(depth int, all []string) {
	for _, note := range all {
		w.line(depth, "! %s", note)
	}
}

func (w *textWriter) model(m Model) {
	w.heading(m.Change, "model "+m.Model, m.File, m.Now.headline())
	w.fields(m.Fields)
	if m.Switch != nil {
		w.line(1, "%s %s", w.paint(bold, ">"), m.Switch.Sentence())
	}
	w.notes(1, m.Notes)
}

func (w *textWriter) fleet(f Fleet) {
	change := f.Change
	if change == "" {
		change = Changed
	}
	w.heading(change, "fleet "+f.Fleet, f.File, f.nodes())
	w.fields(f.Fields)
	w.notes(1, f.Notes)
	for _, r := range f.Resources {
		w.item(1, r.Change, r.Type+" "+r.Name)
		for _, h := range r.Hosts {
			w.host(h)
		}
	}
	for _, m := range f.Moves {
		w.line(1, "! %s", m.sentence())
	}
	if text := f.shared(); text != "" {
		w.line(1, "%s", text)
	}
	for _, r := range f.Resources {
		w.diff(r.Type+" "+r.Name, r.Diff)
		for _, h := range r.Hosts {
			w.diff(r.Type+" "+r.Name+", host "+h.Host, h.Diff)
		}
	}
}

func (w *textWriter) host(h Host) {
	w.item(2, h.Change, "host "+h.Host+"  "+h.sentence())
	if h.Change != Changed {
		return
	}
	for _, c := range []Change{Added, Changed, Removed} {
		if routes := h.names(c); routes != "" {
			w.item(3, c, "routes "+routes)
		}
	}
}

// diff writes the hunks below a name.
func (w *textWriter) diff(name, hunks string) {
	if hunks == "" {
		return
	}
	w.line(0, "")
	w.line(1, "%s", w.paint(bold, name))
	for line := range strings.Lines(hunks) {
		code := map[byte]string{'+': green, '-': red, '@': cyan}[line[0]]
		w.line(1, "%s", w.paint(code, strings.TrimRight(line, "\n")))
	}
}

// clients names what gRPC clients are sent: it says again what the fleets' diffs say.
func (w *textWriter) clients(all []Client) {
	if len(all) == 0 {
		return
	}
	w.heading(Changed, "gRPC clients")
	for _, c := range all {
		for _, r := range c.Resources {
			w.item(1, r.Change, r.Type+" "+r.Name)
		}
	}
}
