package rollout

import (
	"fmt"
	"strconv"
	"strings"

	"greenlight/policy"
)

// What the Envoys are told to write into their reports of requests, and how it is
// read again.
const (
	// WeightsTag is the custom tag that tells by which weights a request was routed.
	WeightsTag = "greenlight.weights"
	usersLog   = "greenlight/users"
	shadowLog  = "greenlight/shadow"
)

// TagOf is the value of WeightsTag.
func TagOf(w Weights) string { return fmt.Sprintf("%d/%d", w.Blue, w.Green) }

// ReadTag is the reverse of TagOf; both weights are 0 where there is none.
func ReadTag(tag string) Weights {
	blue, green, found := strings.Cut(tag, "/")
	b, errB := strconv.ParseUint(blue, 10, 16)
	g, errG := strconv.ParseUint(green, 10, 16)
	if !found || errB != nil || errG != nil || b+g != uint64(policy.Full) {
		return Weights{}
	}
	return Weights{Blue: policy.Weight(b), Green: policy.Weight(g)}
}

// LogName is the name of a stream of reports: whether it is of mirrored requests,
// and which share of the requests it tells of.
func LogName(shadow bool, sample policy.Weight) string {
	name := usersLog
	if shadow {
		name = shadowLog
	}
	return fmt.Sprintf("%s;sample=%d", name, sample)
}

// ReadLogName is the reverse of LogName. A stream of another name tells of all
// requests, and of users'.
func ReadLogName(name string) (shadow bool, sample policy.Weight) {
	head, tail, _ := strings.Cut(name, ";sample=")
	n, err := strconv.ParseUint(tail, 10, 16)
	if err != nil || n == 0 || n > uint64(policy.Full) {
		n = uint64(policy.Full)
	}
	return head == shadowLog, policy.Weight(n)
}
