// Package report writes what was measured for a switch as one HTML page that
// needs nothing else: no script, no font, no picture from anywhere.
package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"

	"greenlight/rollout"
)

//go:embed page.tmpl
var pageText string

//go:embed page.css
var pageStyle string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"style": func() template.CSS { return template.CSS(pageStyle) },
	"on":    func(c checkView, p pageView) checkOnPage { return checkOnPage{c, p} },
}).Parse(pageText))

// checkOnPage is a check with what its tables take from the page.
type checkOnPage struct {
	Check checkView
	Page  pageView
}

// HTML is a's page. Everything in a is taken for untrusted text: it is escaped,
// and long texts and lists are cut, which the page says where it happens.
func HTML(a rollout.Assessment) ([]byte, error) {
	var out bytes.Buffer
	if err := page.Execute(&out, newPage(a)); err != nil {
		return nil, fmt.Errorf("write report of %s: %w", a.Model, err)
	}
	return out.Bytes(), nil
}
