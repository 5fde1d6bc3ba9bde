package cli

import (
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// paintFlag gives cmd the flag --color.
func paintFlag(cmd *cobra.Command) *format {
	f := &format{name: "auto", allowed: []string{"auto", "always", "never"}}
	cmd.Flags().Var(f, "color", "whether to print in colors: auto (on a terminal, and without NO_COLOR), always, never")
	noFiles(cmd.RegisterFlagCompletionFunc("color", cobra.FixedCompletions(f.allowed, cobra.ShellCompDirectiveNoFileComp)))
	return f
}

// colors reports whether w is written to in colors; see https://no-color.org.
func (f *format) colors(w io.Writer) bool {
	switch f.name {
	case "always":
		return true
	case "never":
		return false
	}
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
