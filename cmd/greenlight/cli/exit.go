package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The exit codes. They are part of the command line's contract.
const (
	codeDone        = 0
	codeFailed      = 1 // not done, failed or rolled back
	CodeUsage       = 2 // wrong usage, or a configuration that can't be used
	codeUnreachable = 3 // the server can't be reached
)

// codedError ends the process with its code.
type codedError struct {
	code int
	err  error // nil: everything was said already
	hint string
	// reason is what the server named as such.
	reason string
}

func (e *codedError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *codedError) Unwrap() error { return e.err }

// WithCode makes an error that ends the process with an exit code, CodeUsage
// for example. Without err nothing is printed.
func WithCode(code int, err error) error { return &codedError{code: code, err: err} }

// usageOf says that the words after cmd were wrong, and where the right ones are.
func usageOf(cmd *cobra.Command, err error) error {
	if _, coded := errors.AsType[*codedError](err); coded {
		return err
	}
	var bad *pflag.InvalidValueError
	if errors.As(err, &bad) {
		err = badValue(bad)
	}
	// Cobra puts its suggestions on lines of their own.
	message, near, found := strings.Cut(err.Error(), "\n\nDid you mean this?\n")
	if found {
		message += "; did you mean " + strings.Join(strings.Fields(near), " or ") + "?"
	}
	hint := fmt.Sprintf("see '%s --help'", cmd.CommandPath())
	return &codedError{code: usageCode(cmd), err: errors.New(message), hint: hint}
}

// badValue says in people's words what Go's parsers say in theirs.
func badValue(bad *pflag.InvalidValueError) error {
	rule := ValueRule(bad.GetFlag().Value.Type())
	if rule == "" {
		return bad
	}
	return fmt.Errorf("--%s is %q; it %s", bad.GetFlag().Name, bad.GetValue(), rule)
}

// ValueRule is what a value of a flag's type must be; empty where its own parser says it.
func ValueRule(flagType string) string {
	return map[string]string{
		"duration": "must be a number with a unit, like 500ms, 30s or 1h30m",
		"bool":     "must be true or false",
		"int":      "must be a whole number",
		"float64":  "must be a number",
	}[flagType]
}

// usageExit is the annotation of a command whose exit code 2 has another meaning: the
// code of its wrong usage.
const usageExit = "usage-exit"

func usageCode(cmd *cobra.Command) int {
	if code, err := strconv.Atoi(cmd.Annotations[usageExit]); err == nil {
		return code
	}
	return CodeUsage
}

// report prints err, if it has something to say, and returns its exit code.
func report(w io.Writer, err error) int {
	coded := &codedError{code: codeFailed, err: err}
	errors.As(err, &coded)
	if coded.err != nil {
		fmt.Fprintf(w, "greenlight: %s\n", coded.err)
	}
	if coded.hint != "" {
		fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(coded.hint, "\n", "\n  "))
	}
	return coded.code
}

// exactlyOne asks for one argument, named in what.
func exactlyOne(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("%s is missing", what)
		}
		return atMostOne(nil, args)
	}
}

func atMostOne(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("unexpected argument %q", args[1])
	}
	return nil
}

// NoArgs refuses arguments; cobra's own calls one an unknown command.
func NoArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	return nil
}
