package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"greenlight/api/adminv1"
)

func (a *app) reportCommand() *cobra.Command {
	page := ""
	cmd := &cobra.Command{
		Use:   "report SWITCH",
		Short: "Show what was measured for a switch",
		Long: `Show everything that the checks measured for the switch with the id SWITCH, by
stage: the validation, each step, the bake. With --html, write it as one
self-contained page with pictures.`,
		Example: `  greenlight report 20261101T101500-fraud-00a1
  greenlight report 20261101T101500-fraud-00a1 --html report.html
  greenlight report 20261101T101500-fraud-00a1 -o json`,
		Args:              exactlyOne("SWITCH"),
		ValidArgsFunction: a.completeOneSwitch,
	}
	out := listingFlag(cmd)
	htmlFlag(cmd, &page)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkHTML(page); err != nil {
			return err
		}
		r, err := ask(cmd.Context(), a, &adminv1.GetReportRequest{SwitchId: args[0], Html: page != ""}, adminv1.AdminServiceClient.GetReport)
		if err != nil {
			return err
		}
		return showReport(cmd, out, r.GetReport(), r.GetHtml(), page)
	}
	return cmd
}

func (a *app) completeOneSwitch(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeSwitch(cmd, args, typed)
}

// showReport writes the page if file names one, and prints r unless the page
// takes its place on standard output.
func showReport(cmd *cobra.Command, out *format, r *adminv1.Assessment, page []byte, file string) error {
	if file == "-" {
		return write(cmd.OutOrStdout(), page)
	}
	if file != "" {
		if err := writeFile(file, page); err != nil {
			return err
		}
	}
	return out.show(cmd.OutOrStdout(), r, func(w io.Writer) error { return reportTables(w, r) })
}

func htmlFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "html", "", "also write the report as a page to this `file`; - prints only the page")
	noFiles(cmd.RegisterFlagCompletionFunc("html", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return []cobra.Completion{"html"}, cobra.ShellCompDirectiveFilterFileExt
	}))
}

// checkHTML refuses, before anything is asked, what could not be written to.
func checkHTML(file string) error {
	if file == "" || file == "-" {
		return nil
	}
	problem := func(text string) error {
		return &codedError{code: CodeUsage, err: fmt.Errorf("--html %s: %s", file, text)}
	}
	if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
		return problem("its folder is not there")
	}
	info, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return problem(err.Error())
	}
	if !info.Mode().IsRegular() {
		return problem("is there and is no file")
	}
	return nil
}

// writeFile replaces file as a whole: who reads it sees the old page or the new one.
func writeFile(file string, page []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.Write(page)
	if err == nil {
		err = temp.Chmod(0o644)
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}
