package plan

import (
	"reflect"
	"strconv"
	"strings"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
)

// word is a value as policies write it, if it is written as one word or on one line.
// It is empty where there is none.
func word(v reflect.Value, path string) (text string, plainly bool) {
	switch x := v.Interface().(type) {
	case time.Duration:
		return calendar.PlainDuration(x), true
	case policy.Amount:
		if x.Count > 0 {
			return strconv.Itoa(x.Count), true
		}
		return x.Share.String(), true
	case interface{ String() string }: // weights, and what should be live
		return x.String(), true
	case *policy.Secret:
		return secret(x), true
	case []policy.Step:
		return steps(x), true
	case []calendar.Span:
		return spans(x), true
	case []string:
		if len(x) == 0 {
			return "", true
		}
		return "[" + strings.Join(x, ", ") + "]", true
	case *float64:
		return limit(x, path), true
	case *int:
		if x == nil {
			return "", true
		}
		return strconv.Itoa(*x), true
	case float64:
		return plain(x), true
	case bool:
		return truth(x, path), true
	}
	return v.String(), v.Kind() == reflect.String
}

func plain(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// secret is where a secret is found; what it is stands in no policy.
func secret(s *policy.Secret) string {
	switch {
	case s == nil:
		return ""
	case s.Env != "":
		return "{env: " + s.Env + "}"
	default:
		return "{file: " + s.File + "}"
	}
}

func steps(all []policy.Step) string {
	var parts []string
	for _, s := range all {
		part := s.Weight.String()
		if s.Hold > 0 {
			part += " for " + calendar.PlainDuration(s.Hold)
		}
		parts = append(parts, part)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func spans(all []calendar.Span) string {
	if len(all) == 0 {
		return ""
	}
	var parts []string
	for _, s := range all {
		text := s.String()
		if s.Reason != "" {
			text += ", " + s.Reason
		}
		parts = append(parts, text)
	}
	return "[" + strings.Join(parts, "; ") + "]"
}

// limit is a number that may be missing; the absolute limit of failures is written
// as a share that they stay below.
func limit(f *float64, path string) string {
	switch {
	case f == nil:
		return ""
	case path == "judge.errors.max":
		return "<" + plain(*f*100) + "%"
	default:
		return plain(*f)
	}
}

// truth is a truth value; of some the field is the opposite of the key.
func truth(b bool, path string) string {
	switch {
	case strings.HasSuffix(path, ".relativeOff"):
		return strconv.FormatBool(!b)
	case path == "judge.asked" && !b:
		return ""
	case path == "judge.asked":
		return "asked for"
	default:
		return strconv.FormatBool(b)
	}
}
