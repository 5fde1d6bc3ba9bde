package plan

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"greenlight/policy"
)

// Marker begins every plan in Markdown, so that the next one can take its place.
const Marker = "<!-- greenlight-plan -->"

// markdownMost is what a comment holds: GitHub takes 65,536 characters.
const markdownMost = 60_000

// Markdown is the plan as a comment on a pull request. Diffs that make it too long are
// left out, and named. Source is the text of a policy file; nil if it can't be had.
func (p Plan) Markdown(source func(file string) []byte) []byte {
	w := &markdownWriter{}
	w.line("%s", Marker)
	if len(p.Problems) > 0 {
		w.problems(p.Problems, source)
		return w.out.Bytes()
	}
	w.line("### Greenlight plan: %s\n", escape(p.changes()))
	w.line("%s compared with %s.", code(p.Folder), escape(p.Against))
	for _, note := range p.Notes {
		w.line("\n> %s", escape(note))
	}
	w.models(p.Models)
	w.fleets(p.Fleets)
	for _, f := range p.Fleets {
		w.details(f)
	}
	if len(w.left) > 0 {
		w.line("\nToo long for a comment is what changes in %s.", escape(list(w.left)))
	}
	return w.out.Bytes()
}

type markdownWriter struct {
	out  bytes.Buffer
	left []string // diffs that were left out
}

func (w *markdownWriter) line(format string, args ...any) { fmt.Fprintf(&w.out, format+"\n", args...) }

// escape keeps text from being markup, also in a table.
func escape(text string) string {
	text = html.EscapeString(strings.Join(strings.Fields(text), " "))
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "@", "@<!-- -->").Replace(text)
}

// code is text in the letters of code, also in a table.
func code(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return ""
	}
	return "<code>" + strings.NewReplacer("|", "&#124;", "*", "&#42;", "_", "&#95;", "`", "&#96;", "[", "&#91;", "]", "&#93;", `\`, "&#92;", "@", "&#64;").Replace(html.EscapeString(text)) + "</code>"
}

func (w *markdownWriter) row(cells ...string) { w.line("| %s |", strings.Join(cells, " | ")) }

func (w *markdownWriter) heading(cells ...string) {
	w.line("")
	w.row(cells...)
	w.line("|%s", strings.Repeat(" --- |", len(cells)))
}

func (w *markdownWriter) models(all []Model) {
	if len(all) == 0 {
		return
	}
	w.heading("Model", "", "What changes", "What it means")
	for _, m := range all {
		what, means := cells(m.Fields)
		name := "**" + escape(m.Model) + "**"
		if now := m.Now.headline(); now != "" {
			name += "<br>" + escape(now)
		}
		if m.Switch != nil {
			means = append([]string{"**" + escape(m.Switch.Sentence()) + "**"}, means...)
		}
		for _, note := range m.Notes {
			means = append(means, escape(note))
		}
		w.row(name, string(m.Change), strings.Join(what, "<br>"), strings.Join(means, "<br>"))
	}
}

// cells is fields and what their changes mean, each meaning once.
func cells(fields []Field) (what, means []string) {
	told := map[Effect]bool{}
	for _, f := range fields {
		text := code(f.Field) + " " + code(f.arrow())
		if len(f.Also) > 0 {
			text += " and what follows it: " + code(strings.Join(f.Also, ", "))
		}
		what = append(what, text)
		if !told[f.Effect] {
			means = append(means, escape(f.Effect.Meaning())+": "+code(effective(fields, f.Effect)))
		}
		told[f.Effect] = true
	}
	return what, means
}

// effective names the sections of fields that have the effect.
func effective(fields []Field, e Effect) string {
	var names []string
	for _, f := range fields {
		if f.Effect == e {
			names = append(names, firstKey(strings.TrimPrefix(strings.TrimPrefix(f.Field, "spec."), "metadata.")))
		}
	}
	return list(sorted(names))
}

func (w *markdownWriter) fleets(all []Fleet) {
	if len(all) == 0 {
		return
	}
	w.heading("Fleet", "Nodes", "Resources", "Hosts and prefixes", "Who else")
	for _, f := range all {
		var resources, hosts, others []string
		for _, r := range f.Resources {
			resources = append(resources, string(r.Change)+": "+escape(r.Type)+" "+code(r.Name))
			for _, h := range r.Hosts {
				hosts = append(hosts, code(h.Host)+" "+string(h.Change)+": "+escape(claims(h)))
				if len(h.Sharing) > 0 {
					others = append(others, "on "+code(h.Host)+": "+escape(list(h.Sharing)))
				}
			}
		}
		for _, m := range f.Moves {
			others = append(others, "**"+escape(m.sentence())+"**")
		}
		if text := f.shared(); text != "" {
			others = append(others, escape(text))
		}
		what, _ := cells(f.Fields)
		for _, note := range f.Notes {
			what = append(what, escape(note))
		}
		nodes := ""
		if f.Nodes != nil {
			nodes = fmt.Sprint(*f.Nodes)
		}
		w.row("**"+escape(f.Fleet)+"**", nodes, strings.Join(append(what, resources...), "<br>"), strings.Join(hosts, "<br>"), strings.Join(others, "<br>"))
	}
}

func claims(h Host) string {
	h.Sharing = nil
	return h.sentence()
}

// details has a fleet's diffs, folded up.
func (w *markdownWriter) details(f Fleet) {
	for _, r := range f.Resources {
		w.diff(f.Fleet, r.Type+" "+r.Name, r.Diff)
		for _, h := range r.Hosts {
			w.diff(f.Fleet, r.Type+" "+r.Name+", host "+h.Host, h.Diff)
		}
	}
}

func (w *markdownWriter) diff(fleet, name, hunks string) {
	switch {
	case hunks == "":
	case w.out.Len()+len(hunks) > markdownMost:
		w.left = append(w.left, name)
	default:
		w.line("\n<details><summary>fleet %s: %s</summary>\n\n````diff\n%s````\n\n</details>", html.EscapeString(fleet), html.EscapeString(name), hunks)
	}
}

// problems is what is wrong with the files; nothing else is known then.
func (w *markdownWriter) problems(all []policy.Problem, source func(string) []byte) {
	w.line("### Greenlight: %s, and nothing of the change is taken\n", count(len(all), "problem"))
	for _, p := range all {
		w.line("````\n%s\n````", p.Render(source(p.File)))
	}
}
