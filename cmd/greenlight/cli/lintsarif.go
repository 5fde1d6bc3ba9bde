package cli

import (
	"net/url"

	"greenlight/policy"
)

// SARIF 2.1.0, as far as a linter needs it: sarifLog is the root of a log.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version,omitempty"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string             `json:"id"`
	ShortDescription sarifText          `json:"shortDescription"`
	Help             sarifText          `json:"help"`
	Configuration    sarifConfiguration `json:"defaultConfiguration"`
}

type sarifConfiguration struct {
	Level policy.Severity `json:"level"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	RuleIndex *int            `json:"ruleIndex,omitempty"`
	Level     policy.Severity `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
}

// sarifLogical names whose policy a problem is of.
type sarifLogical struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// sarifOf is a log of problems. All rules are in it, also those that nothing
// breaks, so that a viewer can tell what was looked for. Paths are relative to
// here. Severities are called what SARIF calls its levels.
func sarifOf(problems []lintProblem, rules []policy.Rule, here, version string) sarifLog {
	driver := sarifDriver{Name: "greenlight", Version: version, Rules: make([]sarifRule, len(rules))}
	index := map[string]int{}
	for i, r := range rules {
		driver.Rules[i] = sarifRule{r.Name, sarifText{r.Short}, sarifText{r.Help}, sarifConfiguration{r.Severity}}
		index[r.Name] = i
	}
	results := make([]sarifResult, len(problems))
	for i, p := range problems {
		results[i] = sarifResult{RuleID: p.Rule, Level: p.Severity, Message: sarifText{p.Message}, Locations: []sarifLocation{sarifPlace(p, here)}}
		if at, known := index[p.Rule]; known {
			results[i].RuleIndex = &at
		}
	}
	return sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0",
		Runs: []sarifRun{{Tool: sarifTool{driver}, ColumnKind: "unicodeCodePoints", Results: results}},
	}
}

// sarifPlace is where a problem is. A region counts from 1, so a problem of a
// whole file has none.
func sarifPlace(p lintProblem, here string) sarifLocation {
	file := url.URL{Path: relativeTo(here, p.File)}
	at := sarifLocation{Physical: sarifPhysical{Artifact: sarifArtifact{file.String()}}}
	if p.Line > 0 {
		at.Physical.Region = &sarifRegion{p.Line, p.Column}
	}
	switch {
	case p.Model != "":
		at.Logical = []sarifLogical{{p.Model, "model"}}
	case p.Fleet != "":
		at.Logical = []sarifLogical{{p.Fleet, "fleet"}}
	}
	return at
}
