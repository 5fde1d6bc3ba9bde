package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// format is the value of a listing's -o flag.
type format struct {
	name    string
	allowed []string
}

// String, Set and Type implement pflag.Value.
func (f *format) String() string { return f.name }

// Set takes one of the allowed names.
func (f *format) Set(name string) error {
	if !slices.Contains(f.allowed, name) {
		return fmt.Errorf("must be %s", strings.Join(f.allowed, ", "))
	}
	f.name = name
	return nil
}

// Type is what help calls the value.
func (f *format) Type() string { return "format" }

// outputFlag gives cmd the flag -o; the first of allowed is the default.
func outputFlag(cmd *cobra.Command, allowed ...string) *format {
	f := &format{name: allowed[0], allowed: allowed}
	cmd.Flags().VarP(f, "output", "o", "how to print: "+strings.Join(allowed, ", "))
	noFiles(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(allowed, cobra.ShellCompDirectiveNoFileComp)))
	return f
}

func listingFlag(cmd *cobra.Command) *format { return outputFlag(cmd, "table", "json", "yaml") }

// show prints m in the format that was asked for; table prints it for people.
func (f *format) show(w io.Writer, m proto.Message, table func(io.Writer) error) error {
	switch f.name {
	case "json":
		raw, err := toJSON(m)
		if err != nil {
			return err
		}
		return write(w, raw)
	case "yaml":
		raw, err := toJSON(m)
		if err != nil {
			return err
		}
		raw, err = yaml.JSONToYAML(raw)
		if err != nil {
			return fmt.Errorf("write YAML: %w", err)
		}
		return write(w, raw)
	default:
		return table(w)
	}
}

// toJSON writes m with the API's JSON names. Fields that have no value are
// written too: a script that asks for a weight finds 0, not nothing. protojson
// varies its white space on purpose, so it is laid out anew.
func toJSON(m proto.Message) ([]byte, error) {
	raw, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	var compact, out bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, fmt.Errorf("compact JSON: %w", err)
	}
	if err := json.Indent(&out, compact.Bytes(), "", "  "); err != nil {
		return nil, fmt.Errorf("indent JSON: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func write(w io.Writer, raw []byte) error {
	if _, err := w.Write(raw); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// table lays out rows under a heading. Cells hold no control characters, and
// an empty one is shown as "-", so that columns can be cut by a script.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer, heading ...string) *table {
	t := &table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(heading...)
	return t
}

func (t *table) row(cells ...string) {
	for i, c := range cells {
		c = clean(c)
		if c == "" {
			c = "-"
		}
		if i > 0 {
			fmt.Fprint(t.w, "\t")
		}
		fmt.Fprint(t.w, c)
	}
	fmt.Fprintln(t.w)
}

func (t *table) flush() error {
	if err := t.w.Flush(); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}
