package resource_test

import (
	"os"
	"strings"
	"testing"
)

// TestDocumentedBootstrapIsValid: Envoy loads the example of docs/envoy.md.
func TestDocumentedBootstrapIsValid(t *testing.T) {
	doc, err := os.ReadFile("../../docs/envoy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(doc), "```yaml\nnode:")
	example, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("docs/envoy.md has no bootstrap example")
	}
	validate(t, "bootstrap.yaml", []byte("node:"+example))
}
