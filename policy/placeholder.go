package policy

import "strings"

// The texts of a Defaults document hold the name of the model that inherits them
// where ${model} stands; $${ stands for a plain ${.

// modelWord is the one placeholder.
const modelWord = "model"

// ownPlaceholders reports whether the text at path has placeholders of its own,
// which ${model} would collide with: a request's are columns, and a query has $model.
func ownPlaceholders(path string) bool {
	return path == "spec.predict.request" || strings.HasSuffix(path, ".prometheus.query")
}

// modelTextFault says what is wrong with a text's placeholders.
func modelTextFault(text string) (says string) {
	eachPlaceholder(text, func(string) {}, func(name string, closed bool) {
		switch {
		case says != "" || closed && name == modelWord:
		case !closed:
			says = "a placeholder ${ is not closed by }; write $${ for a plain ${"
		default:
			says = "${" + short(name) + "} is unknown; ${model} is the model's name, and $${ a plain ${" + didYouMean(name, []string{modelWord})
		}
	})
	return says
}

// fillModel puts the model's name into a text without fault.
func fillModel(text, model string) string {
	var out strings.Builder
	eachPlaceholder(text, func(plain string) { out.WriteString(plain) }, func(string, bool) { out.WriteString(model) })
	return out.String()
}

// eachPlaceholder goes through a text in order.
func eachPlaceholder(text string, plain func(string), placeholder func(name string, closed bool)) {
	for {
		before, after, found := strings.Cut(text, "${")
		if !found {
			plain(text)
			return
		}
		if escaped, ok := strings.CutSuffix(before, "$"); ok {
			plain(escaped + "${")
			text = after
			continue
		}
		plain(before)
		name, rest, closed := strings.Cut(after, "}")
		placeholder(name, closed)
		text = rest
	}
}
