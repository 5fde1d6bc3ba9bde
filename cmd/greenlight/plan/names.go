package plan

import (
	"regexp"
	"strings"
)

// Policies are compared by the fields of policy.Model and policy.Fleet, and told by
// the keys of the files. These tables have the keys that are not the fields' JSON names.

// unwritten is what nobody writes: it follows from the rest.
const unwritten = "-"

// checkList finds the check that a path lies in.
var checkList = regexp.MustCompile(`^(validate|stepChecks\.checks|bake\.checks)(\[[^\]]*\])?(.*)$`)

var modelKeys = map[string]string{
	"source":                    unwritten,
	"name":                      unwritten,
	"owners":                    "metadata.owners",
	"discovery.colorMeta":       "spec.discovery.color.meta",
	"discovery.colorTags":       "spec.discovery.color.tag",
	"discovery.services.blue":   "spec.discovery.blue.service",
	"discovery.services.green":  "spec.discovery.green.service",
	"route.preview":             "spec.route.preview.header",
	"route.previewCookie":       "spec.route.preview.cookie",
	"route.previewToken":        "spec.route.preview.token",
	"route.sticky.cookie":       "spec.route.sticky.cookie.name",
	"discovery.versionMeta":     "spec.discovery.version.meta",
	"route.sticky.cookieTTL":    "spec.route.sticky.cookie.ttl",
	"predict.reserved":          unwritten,
	"shape":                     "spec.shift",
	"shift":                     "spec.shift.steps",
	"rolling":                   "spec.shift.rolling",
	"stepChecks.every":          "spec.shift.checkEvery",
	"stepChecks.checks":         "spec.shift.checks",
	"judge.asked":               "spec.judge",
	"judge.errors.relativeOff":  "spec.judge.errors.relative",
	"judge.latency.relativeOff": "spec.judge.latency.relative",
	"judge.errors.max":          "spec.judge.errorRate",
	"judge.latency.max":         "spec.judge",
}

// gateMetric is the field of a gate that its key says already.
var gateMetric = regexp.MustCompile(`^quality\.gates\.\w+\.metric$`)

// checkKeys is the same within a check.
var checkKeys = map[string]string{
	"name":                unwritten,
	"drift.agreement":     "drift.agreement.min",
	"drift.psi":           "drift.psi.max",
	"drift.ks":            "drift.ks.max",
	"drift.jensenShannon": "drift.jensenShannon.max",
	"drift.cramersV":      "drift.cramersV.max",
	"latency.quantiles":   "latency",
	"expression.text":     "expression",
	"expression.uses":     unwritten,
}

var fleetKeys = map[string]string{"source": unwritten, "name": unwritten}

// modelKey is the key of a field of policy.Model; empty if there is none.
func modelKey(path string) string {
	if m := inCheckList(path); m != nil {
		list := key(modelKeys, m[1], "spec.") + m[2]
		inner := strings.TrimPrefix(m[3], ".")
		if inner == "" {
			return list
		}
		if inner = key(checkKeys, inner, ""); inner == "" || gateMetric.MatchString(inner) {
			return ""
		}
		return list + "." + inner
	}
	return key(modelKeys, path, "spec.")
}

// inCheckList is the list of checks that path lies in, the check, and what is left of
// path; nil if it lies in none. Most paths are told apart without the pattern.
func inCheckList(path string) []string {
	if path[0] != 'v' && path[0] != 's' && path[0] != 'b' {
		return nil
	}
	return checkList.FindStringSubmatch(path)
}

func fleetKey(path string) string { return key(fleetKeys, path, "spec.") }

// key looks for path, and for what it lies in.
func key(keys map[string]string, path, prefix string) string {
	for at := path; at != ""; at = at[:max(0, strings.LastIndexAny(at, ".["))] {
		switch name := keys[at]; name {
		case "":
		case unwritten:
			return ""
		default:
			return name + path[len(at):]
		}
	}
	return prefix + path
}
