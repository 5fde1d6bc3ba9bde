package policy

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"greenlight/policy/calendar"
)

// builder turns one raw document into a Model or a Fleet: it puts in every
// default and notes every broken rule. What it builds is used only if it noted
// nothing.
type builder struct {
	marks    *marks
	problems []Problem
	source   Source
	root     ground // the policy folder; no path leads out of it
	// expressions wait until all lists of checks are known.
	expressions []*writtenExpression
}

// problem notes a broken rule at path, unless the value there could not even
// be read, which is noted already.
func (b *builder) problem(path, rule, format string, args ...any) {
	if b.marks.unread(path) {
		return
	}
	b.problems = append(b.problems, b.marks.at(path).problem(rule, format, args...))
}

// refuse notes that value breaks rule if says, the rule's sentence, is not empty.
func (b *builder) refuse(path, rule, value, says string) {
	if says != "" {
		b.problem(path, rule, "%s = %s; %s", shown(path), short(value), says)
	}
}

// require notes a value that is missing, or has nothing in it.
func (b *builder) require(path, says string) {
	state := "missing"
	if b.marks.has(path) {
		state = "empty"
	}
	b.problem(path, RuleRequired, "%s is %s; %s", shown(path), state, says)
}

// text takes a written value, which must stand fault, or the default.
func (b *builder) text(path string, written *string, preset, rule string, check func(string) string) string {
	if written == nil {
		return preset
	}
	b.refuse(path, rule, *written, check(*written))
	return *written
}

// choice takes one of a few words.
func (b *builder) choice(path string, written *string, preset string, known ...string) string {
	if written == nil {
		return preset
	}
	if !slices.Contains(known, *written) {
		b.problem(path, RuleUnknownValue, "%s = %s; write %s%s", shown(path), short(*written), strings.Join(known, " or "), didYouMean(*written, known))
	}
	return *written
}

// wait takes a duration from least to most.
func (b *builder) wait(path string, written *duration, preset, least, most time.Duration) time.Duration {
	if written == nil {
		return preset
	}
	value := time.Duration(*written)
	if value < least || value > most {
		b.problem(path, RuleDurationRange, "%s = %s; it is %s to %s", shown(path), calendar.PlainDuration(value), calendar.PlainDuration(least), calendar.PlainDuration(most))
	}
	return value
}

// count takes a whole number from least to most.
func (b *builder) count(path string, written *int, preset, least, most int) int {
	if written == nil {
		return preset
	}
	if *written < least || *written > most {
		b.problem(path, RuleNumberRange, "%s = %d; it is %d to %d", shown(path), *written, least, most)
	}
	return *written
}

// decimal takes a number from least to most.
func (b *builder) decimal(path string, written *number, preset, least, most float64) float64 {
	if written == nil {
		return preset
	}
	value := float64(*written)
	switch {
	case value >= least && value <= most:
	case most == math.MaxFloat64:
		b.problem(path, RuleNumberRange, "%s = %g; it is at least %g", shown(path), value, least)
	default:
		b.problem(path, RuleNumberRange, "%s = %g; it is %g to %g", shown(path), value, least, most)
	}
	return value
}

// limit is decimal for a gate, which is there only if it is written.
func (b *builder) limit(path string, written *number, least, most float64) *float64 {
	if written == nil {
		return nil
	}
	value := b.decimal(path, written, 0, least, most)
	return &value
}

// ratio takes a ratio from least to most.
func (b *builder) ratio(path string, written *ratio, preset, least, most float64) float64 {
	if written == nil {
		return preset
	}
	value := float64(*written)
	if value < least || value > most {
		b.problem(path, RuleWeightRange, "%s = %s; it is %s to %s, which may be written %g to %g",
			shown(path), plainRatio(value), plainRatio(least), plainRatio(most), least, most)
	}
	return value
}

// refuseKey notes a key that means nothing here.
func (b *builder) refuseKey(path, why string) {
	if b.marks.has(path) {
		b.problem(path, RuleContradiction, "%s %s; remove it", shown(path), why)
	}
}

// texts takes a list of different short texts; nil if none is written.
func (b *builder) texts(path string, written []string) []string {
	if len(written) == 0 {
		if b.marks.has(path) {
			b.require(path, "write at least one, or remove the key")
		}
		return nil
	}
	for i, text := range written {
		b.refuse(item(path, i), RuleTextSyntax, text, textFault(text))
	}
	b.unique(path, written)
	return written
}

func (b *builder) weight(written *percent, preset Weight) Weight {
	if written == nil {
		return preset
	}
	return Weight(*written)
}

func truth(written *bool, preset bool) bool {
	if written == nil {
		return preset
	}
	return *written
}

// unique notes values that a list holds twice.
func (b *builder) unique(path string, values []string) {
	for i, value := range values {
		if first := slices.Index(values, value); first < i {
			b.problem(item(path, i), RuleDuplicateValue, "%s = %s; it is in the list already, as %s", shown(item(path, i)), short(value), shown(item(path, first)))
		}
	}
}

// item is the path of a list's element.
func item(path string, index int) string { return fmt.Sprintf("%s[%d]", path, index) }

// header checks what both kinds of document begin with.
func (b *builder) header(version string) {
	if !b.marks.has("apiVersion") {
		b.require("apiVersion", "write apiVersion: "+APIVersion)
	} else if version != APIVersion {
		b.refuse("apiVersion", RuleAPIVersion, version, "this Greenlight reads "+APIVersion)
	}
}

// folder is where the file stands that writes the value at path.
func (b *builder) folder(path string) string {
	if file := b.marks.at(path).file; file != "" {
		return filepath.Dir(file)
	}
	return filepath.Dir(b.source.File)
}
