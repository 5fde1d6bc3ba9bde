package api

import (
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"

	"greenlight/api/adminv1"
)

// Bounds of what a request may carry. All of it is journaled and shown, so
// none of it may be a place to park megabytes.
const (
	maxName   = 256  // bytes of a model, actor, version or id
	maxKey    = 128  // bytes of an idempotency key
	maxReason = 1024 // bytes of a reason
	maxPage   = 500  // switches in one answer
	maxChecks = 256  // checks named in one request
)

// violations collects every rule that a request breaks, so that they are all
// told at once.
type violations struct {
	fields []*errdetails.BadRequest_FieldViolation
}

func (v *violations) add(field, format string, args ...any) {
	v.fields = append(v.fields, &errdetails.BadRequest_FieldViolation{
		Field: field, Description: fmt.Sprintf(format, args...),
	})
}

func (v *violations) model(name string) {
	if name == "" {
		v.add("model", "must name a model")
	}
	v.atMost("model", name, maxName)
}

func (v *violations) switchID(field, id string) {
	if id == "" {
		v.add(field, "must name a switch")
	}
	v.atMost(field, id, maxName)
}

func (v *violations) atMost(field, value string, limit int) {
	if len(value) > limit {
		v.add(field, "has %d bytes; at most %d are allowed", len(value), limit)
	}
}

func (v *violations) color(field string, c adminv1.Color) {
	if _, ok := adminv1.Color_name[int32(c)]; !ok {
		v.add(field, "%d is no color; use COLOR_BLUE, COLOR_GREEN or leave it out", c)
	}
}

// only bounds the names of checks; whether the model has them, the model says.
func (v *violations) only(names []string) {
	if len(names) > maxChecks {
		v.add("only", "has %d names; at most %d are allowed", len(names), maxChecks)
		return
	}
	for _, name := range names {
		if name == "" {
			v.add("only", "holds an empty name")
		}
		v.atMost("only", name, maxName)
	}
}

func (v *violations) forced(force bool, reason string) {
	if force && strings.TrimSpace(reason) == "" {
		v.add("reason", "must say why when force is set; the history keeps it")
	}
}

// err is nil if no rule was broken.
func (v *violations) err() error {
	if len(v.fields) == 0 {
		return nil
	}
	words := make([]string, len(v.fields))
	for i, f := range v.fields {
		words[i] = f.GetField() + " " + f.GetDescription()
	}
	return failure(codes.InvalidArgument, ReasonBadRequest, strings.Join(words, "; "),
		&errdetails.BadRequest{FieldViolations: v.fields})
}

func checkModel(name string) error {
	var v violations
	v.model(name)
	return v.err()
}
