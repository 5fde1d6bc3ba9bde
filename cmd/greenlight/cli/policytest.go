package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"greenlight/policy"
	"greenlight/rollout/scenario"
)

func testCommand() *cobra.Command {
	only, verbose := "", false
	cmd := &cobra.Command{
		Use:   "test FILE...",
		Short: "Test policies: what they make of good and bad versions, in simulated time",
		Long: `Test policies. A file of tests says how registry, fleets, users and checks are and
change over simulated time, and which phases and weights are expected. What
decides is what decides in the server; days of a bake pass in milliseconds. Of a
folder every *.yaml and *.yml file is read.

Exit codes: 0 all as expected; 1 something was not; 2 wrong usage, or the files
have problems.`,
		Example: `  greenlight policy test tests/
  greenlight policy test tests/fraud.yaml --run 'bad version' --verbose
  greenlight policy test tests/ -o junit > policies.xml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("FILE is missing")
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	out := outputFlag(cmd, "text", "json", "junit")
	cmd.Flags().StringVar(&only, "run", "", "run only tests whose name matches this `regexp`")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "tell what happened also where all was as expected")
	noFiles(cmd.RegisterFlagCompletionFunc("run", cobra.NoFileCompletions))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		named, err := regexp.Compile(only)
		if err != nil {
			return usageOf(cmd, fmt.Errorf("--run is no regular expression: %w", err))
		}
		tests, problems := readTests(args)
		if len(problems) > 0 {
			return tellTestProblems(cmd, out, problems)
		}
		tests = slices.DeleteFunc(tests, func(t scenario.Test) bool { return !named.MatchString(t.Name) })
		if len(tests) == 0 {
			return usageOf(cmd, fmt.Errorf("no test matches %q", only))
		}
		report, err := runTests(cmd, out, tests, verbose)
		if err != nil {
			return err
		}
		if err := printTests(cmd, out, report); err != nil {
			return err
		}
		if report.Failed() > 0 {
			return WithCode(codeFailed, nil)
		}
		return nil
	}
	return cmd
}

// readTests reads files of tests, and those in folders.
func readTests(paths []string) ([]scenario.Test, []policy.Problem) {
	var tests []scenario.Test
	var problems []policy.Problem
	for _, path := range paths {
		files, err := testFiles(path)
		if err != nil {
			problems = append(problems, policy.Problem{File: path, Rule: policy.RuleUnreadable, Message: err.Error()})
		}
		for _, file := range files {
			found, wrong := readTestFile(file)
			tests, problems = append(tests, found...), append(problems, wrong...)
		}
	}
	return tests, policy.SortProblems(problems)
}

// maxTestFile bounds a file of tests; the format's own limits are far below it.
const maxTestFile = 1 << 20

func readTestFile(file string) ([]scenario.Test, []policy.Problem) {
	info, err := os.Stat(file)
	if err == nil && info.Size() > maxTestFile {
		err = errors.New("the file is too large")
	}
	var raw []byte
	if err == nil {
		raw, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, []policy.Problem{{File: file, Rule: policy.RuleUnreadable, Message: "it can't be read: " + reasonOf(err)}}
	}
	return scenario.Parse(file, raw, func(path string) policy.Reading {
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(file), path)
		}
		return policy.ReadPath(path)
	})
}

// reasonOf is an error of the operating system without the path.
func reasonOf(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

// testFiles is path, or the YAML files below it; those whose names begin with a dot
// are left out.
func testFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, errors.New("it can't be read: " + reasonOf(err))
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		switch hidden := name != path && d.Name()[0] == '.'; {
		case err != nil:
			return err
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden || d.IsDir():
		case filepath.Ext(name) == ".yaml" || filepath.Ext(name) == ".yml":
			files = append(files, name)
		}
		return nil
	})
	if err == nil && len(files) == 0 {
		err = errors.New("the folder holds no *.yaml or *.yml file; name the right one")
	}
	return files, err
}

// runTests runs one test after the other. As text each is told when it has ended.
func runTests(cmd *cobra.Command, out *format, tests []scenario.Test, verbose bool) (scenario.Report, error) {
	var r scenario.Report
	began := time.Now()
	for _, t := range tests {
		if cmd.Context().Err() != nil {
			return r, fmt.Errorf("interrupted after %d of %d tests", len(r.Results), len(tests))
		}
		result := t.Run()
		r.Results = append(r.Results, result)
		if out.name == "text" {
			if err := write(cmd.OutOrStdout(), []byte(result.Text(verbose))); err != nil {
				return r, err
			}
		}
	}
	r.Took = time.Since(began)
	return r, nil
}

// printTests prints the whole report, or what of it was not told yet.
func printTests(cmd *cobra.Command, out *format, r scenario.Report) error {
	var raw []byte
	var err error
	switch out.name {
	case "json":
		raw, err = r.JSON()
	case "junit":
		raw, err = r.JUnit()
	default:
		raw = []byte(r.Summary() + "\n")
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return write(cmd.OutOrStdout(), raw)
}

// tellTestProblems says what is wrong with the files: nothing was run.
func tellTestProblems(cmd *cobra.Command, out *format, problems []policy.Problem) error {
	r := lintResultOf(problems)
	if out.name != "json" {
		r.text(cmd.ErrOrStderr())
	} else if err := r.print(cmd.OutOrStdout(), out); err != nil {
		return err
	}
	return WithCode(CodeUsage, nil)
}
