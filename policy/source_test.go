package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"greenlight/policy"
)

// Documents are told apart wherever their marks stand, and every one knows its
// own line.
func TestDocumentsOfAFile(t *testing.T) {
	one, two := model("one", "a"), model("two", "b")
	cases := map[string]string{
		"plain":                one + "---\n" + two,
		"begin and end":        "---\n" + one + "...\n---\n" + two + "...\n",
		"end alone":            one + "...\n" + two,
		"empty ones":           "---\n---\n# nothing\n---\n" + one + "---\n\n---\n" + two + "---\n",
		"comment on the mark":  "--- # first\n" + one + "--- # second\n" + two,
		"Windows":              strings.ReplaceAll("# x\n"+one+"---\n"+two, "\n", "\r\n"),
		"marks that are none":  "# ----\n" + one + "---\n#---\n" + two + " # ---\n",
		"no line end":          one + "---\n" + strings.TrimSpace(two),
		"a mistake in between": one + "---\na: [\n---\n" + two,
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			models, _, problems := policy.Parse("a.yaml", []byte(text), "")
			var got []string
			for _, m := range models {
				got = append(got, m.Name)
				lines := strings.Split(text, "\n")
				if m.Source.Line > len(lines) || !strings.HasPrefix(lines[m.Source.Line-1], "apiVersion:") {
					t.Errorf("%s says that it begins on line %d", m.Name, m.Source.Line)
				}
			}
			if !slices.Equal(got, []string{"one", "two"}) {
				t.Errorf("models %v", got)
			}
			if wrong := name == "a mistake in between"; wrong != (len(problems) == 1) {
				t.Errorf("problems %v", problems)
			}
		})
	}
}

// The hash is of the document alone: not of its neighbours, nor of what stands
// before its first key.
func TestHashIsOfOneDocument(t *testing.T) {
	hash := func(text string) string {
		models, _, problems := policy.Parse("a.yaml", []byte(text), "")
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return models[len(models)-1].Source.Hash
	}
	one := model("one", "a")
	want := hash(one)
	for i, same := range []string{"# moved\n" + one, "---\n" + one, model("two", "b") + "---\n" + one} {
		if hash(same) != want {
			t.Errorf("hash %d differs", i)
		}
	}
	if hash(one+"# a word\n") == want || hash(model("one", "b")) == want {
		t.Error("a changed document has the old hash")
	}
}

// Places are those of the whole file, in every document of it.
func TestPlacesInLaterDocuments(t *testing.T) {
	text := model("one", "a") + "---\n# here\n" + model("two", "b") + "  bakee: {}\n"
	_, _, problems := policy.Parse("a.yaml", []byte(text), "")
	if got := fmt.Sprint(problems); len(problems) != 1 || !strings.HasPrefix(got, "[a.yaml:15:3: bakee") || problems[0].Model != "two" {
		t.Errorf("problems %v, want one on line 15 of model two", got)
	}
}
