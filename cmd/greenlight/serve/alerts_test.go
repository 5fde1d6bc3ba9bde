package serve

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"greenlight/policy"
)

// ruleFile is a file of Prometheus' alerting rules.
type ruleFile struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []struct {
			Alert       string            `yaml:"alert"`
			Expr        string            `yaml:"expr"`
			For         string            `yaml:"for"`
			Labels      map[string]string `yaml:"labels"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

// An alert on a metric that nobody serves would never fire.
func TestAlertsSpeakOfMetricsThatAreServed(t *testing.T) {
	raw, err := os.ReadFile("../../../examples/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file ruleFile
	if err := yaml.UnmarshalWithOptions(raw, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	manual, err := os.ReadFile("../../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	from := &policyMetrics{}
	from.origin.Store(&policy.Origin{})
	_, served := get(t, pages(statuses, nil, func() []string { return nil }, from), http.MethodGet, "/metrics")
	metric, label := regexp.MustCompile(`greenlight_\w+`), regexp.MustCompile(`\$labels\.(\w+)`)
	alerts := 0
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			alerts++
			names := metric.FindAllString(r.Expr, -1)
			if r.Alert == "" || r.For == "" || r.Annotations["summary"] == "" || len(names) == 0 {
				t.Errorf("%+v says too little", r)
			}
			for _, name := range names {
				if !strings.Contains(served, "# TYPE "+name+" gauge") {
					t.Errorf("%s asks for %s, which is not served", r.Alert, name)
				}
			}
			for _, l := range label.FindAllStringSubmatch(r.Annotations["summary"]+r.Annotations["description"], -1) {
				if !regexp.MustCompile(`(?m)^` + names[0] + `\{.*\b` + l[1] + `="`).MatchString(served) {
					t.Errorf("%s speaks of label %s, which %s lacks", r.Alert, l[1], names[0])
				}
			}
			if !strings.Contains(string(manual), "`"+r.Alert+"`") {
				t.Errorf("docs/operating.md lacks %s", r.Alert)
			}
		}
	}
	if alerts == 0 {
		t.Error("there is no alert")
	}
}
