package dataset

import (
	"strconv"
	"strings"
)

// csvValue is what a field stands for. CSV has no types, so this takes for a
// number only what a program wrote as one, and keeps every other text as it is:
//
//   - An empty field is Null, in quotes or not.
//   - true, false, True and False are Bool.
//   - What JSON's grammar accepts as an integer and int64 holds is Int. "01",
//     "+1", "1_000", " 1" and "12345678901234567890" are String: they are more
//     often a code or a key than a quantity, and a number would lose something.
//   - What JSON's grammar accepts as a number with a point or an exponent is
//     Float; an exponent must have a sign, as every program writes it (1e-05,
//     1.5e+20), for "12e3" without is more often a name. Text gives a Float as
//     it is written ("1.10"), save that a whole one loses its point ("1.0" is
//     "1": a column of integers with a gap in it becomes such floats in pandas).
//   - All else is String: NaN, Inf, NA and null too.
//
// A number that no float64 can hold is an error.
func csvValue(field string) (Value, error) {
	switch field {
	case "":
		return Value{}, nil
	case "true", "True":
		return Value{Kind: Bool, Int: 1}, nil
	case "false", "False":
		return Value{Kind: Bool}, nil
	}
	// A substring holds its whole record in memory, which is the row's own.
	text := Value{Kind: String, Str: field}
	if !isNumber(field) {
		return text, nil
	}
	if strings.ContainsAny(field, ".eE") {
		return writtenFloat(field)
	}
	if n, err := strconv.ParseInt(field, 10, 64); err == nil && field != "-0" {
		return Value{Kind: Int, Int: n}, nil
	}
	return text, nil
}

// isNumber is JSON's grammar of numbers with a sign in the exponent:
// -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-] [0-9]+)?
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole := digits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		return false
	}
	s = s[whole:]
	if fraction, is := strings.CutPrefix(s, "."); is {
		n := digits(fraction)
		if n == 0 {
			return false
		}
		s = fraction[n:]
	}
	if s == "" {
		return true
	}
	return len(s) > 2 && (s[0] == 'e' || s[0] == 'E') && (s[1] == '+' || s[1] == '-') && digits(s[2:]) == len(s)-2
}

// digits is how many bytes of s are digits before the first that is none.
func digits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}
