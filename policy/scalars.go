package policy

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// scalar is a raw value that is written as one word and has a syntax of its
// own. set reads the word or says what is wrong with it.
type scalar interface {
	set(text string) *fault
}

// fault is a broken rule and the sentence that states it; the binder puts the
// field and the value in front.
type fault struct {
	rule string
	says string
}

// duration is a time.Duration, written as Go writes it.
type duration time.Duration

func (d *duration) set(text string) *fault {
	value, err := time.ParseDuration(text)
	if err == nil {
		*d = duration(value)
		return nil
	}
	if digits.MatchString(text) {
		return &fault{RuleDurationSyntax, "a duration has a unit; write " + text + "s for seconds"}
	}
	return &fault{RuleDurationSyntax, "a duration is written like 500ms, 30s, 5m or 1h30m"}
}

var (
	digits      = regexp.MustCompile(`^[0-9]+$`)
	percentText = regexp.MustCompile(`^([0-9]{1,9})(?:\.([0-9]{1,2}))?%?$`)
	signedText  = regexp.MustCompile(`^[+-]?[0-9.]+%?$`)
	ratioText   = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,9})?$`)
	integerText = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,17})$`)
)

// percent is a Weight, written as 95%, 12.5% or the number alone.
type percent Weight

func (p *percent) set(text string) *fault {
	parts := percentText.FindStringSubmatch(text)
	if parts == nil {
		return percentFault(text)
	}
	// Neither conversion can fail: the pattern lets digits through, and few.
	whole, _ := strconv.Atoi(parts[1])
	hundredths, _ := strconv.Atoi((parts[2] + "00")[:2])
	value := whole*100 + hundredths
	if value > int(Full) {
		return &fault{RuleWeightRange, "a weight is 0% to 100%"}
	}
	*p = percent(value)
	return nil
}

// percentFault tells a number that is out of range or too fine from what is no
// number at all.
func percentFault(text string) *fault {
	switch {
	case strings.HasPrefix(text, "-") && signedText.MatchString(text):
		return &fault{RuleWeightRange, "a weight is 0% to 100%"}
	case signedText.MatchString(text) && strings.Count(text, ".") == 1:
		return &fault{RuleWeightSyntax, "a weight has at most two decimals, like 12.25%"}
	default:
		return &fault{RuleWeightSyntax, "a weight is written like 95%, 12.5% or 95"}
	}
}

// String writes a weight as policies do: 5%, 12.5%.
func (w Weight) String() string {
	return strconv.FormatFloat(float64(w)/100, 'f', -1, 64) + "%"
}

// number is a finite floating-point number.
type number float64

func (n *number) set(text string) *fault {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(value, 0) || math.IsNaN(value) || strings.ContainsAny(text, "xX_") {
		return &fault{RuleWrongType, "write a number like 0.001 or 1e-6"}
	}
	*n = number(value)
	return nil
}

// amount is a whole number, or a share of one: 2 or 25%.
type amount Amount

func (a *amount) set(text string) *fault {
	if strings.HasSuffix(text, "%") {
		var share percent
		if f := share.set(text); f != nil {
			return f
		}
		*a = amount{Share: Weight(share)}
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return &fault{RuleWrongType, "write a whole number like 2, or a share like 25%"}
	}
	*a = amount{Count: n}
	return nil
}

// ratio is a share that may exceed all: written as 120% or as 1.2.
type ratio float64

func (r *ratio) set(text string) *fault {
	digits, percent := strings.CutSuffix(text, "%")
	if !ratioText.MatchString(digits) {
		return &fault{RuleWeightSyntax, "a ratio is written like 120%, 99.9% or 1.2"}
	}
	if percent {
		digits += "e-2" // so that 99.9% is the same number as 0.999
	}
	// It can't fail: the pattern lets few digits through.
	value, _ := strconv.ParseFloat(digits, 64)
	*r = ratio(value)
	return nil
}

// plainRatio writes a ratio as policies do: 120%.
func plainRatio(r float64) string {
	return strconv.FormatFloat(math.Round(r*1e8)/1e6, 'f', -1, 64) + "%"
}
