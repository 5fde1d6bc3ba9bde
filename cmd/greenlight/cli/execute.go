// Package cli is Greenlight's command line: the commands that ask a running
// server, and those that need none.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// DefaultServer is where `greenlight serve` offers the admin API by default.
const DefaultServer = "127.0.0.1:18001"

// answerWithin bounds one question to the server unless --timeout says otherwise.
const answerWithin = 10 * time.Second

// app is what all commands share. Flags are parsed into it before a command runs.
type app struct {
	server  string
	timeout time.Duration
	now     func() time.Time
}

// Execute runs the command line args and returns the process's exit code. The
// commands in extra stand beside Greenlight's own; an error that they return
// exits with 1 unless it came from WithCode.
func Execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, extra ...*cobra.Command) int {
	root := newRoot(extra)
	addCobras(root)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return codeDone
	}
	if _, ran := errors.AsType[*ranError](err); !ran {
		// Cobra found fault with the words before any command ran.
		err = usageOf(cmd, err)
	}
	return report(stderr, err)
}

func newRoot(extra []*cobra.Command) *cobra.Command {
	a := &app{now: time.Now}
	root := &cobra.Command{
		Use:   "greenlight",
		Short: "Switch live inference traffic between the two colors of a model",
		Long: `Greenlight moves live inference traffic from one color of a model to the other
on fleets of Envoys, and calls it done when every Envoy has said so.

Exit codes: 0 done; 1 not done, failed or rolled back; 2 wrong usage;
3 the server can't be reached.`,
		Example: `  greenlight status
  greenlight switch fraud --wait
  greenlight rollback fraud --reason "scores drift"`,
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.server, "server", serverDefault(), "`address` of the server's admin API; or GREENLIGHT_SERVER")
	flags.Lookup("server").DefValue = DefaultServer // help says the same everywhere
	flags.DurationVar(&a.timeout, "timeout", answerWithin, "longest wait for an answer; with --wait, for the end")
	noFiles(root.RegisterFlagCompletionFunc("server", cobra.NoFileCompletions))
	noFiles(root.RegisterFlagCompletionFunc("timeout", cobra.NoFileCompletions))
	root.AddGroup(
		&cobra.Group{ID: groupSee, Title: "See:"},
		&cobra.Group{ID: groupMove, Title: "Move traffic:"},
		&cobra.Group{ID: groupSetUp, Title: "Set up:"},
	)
	root.AddCommand(a.commands()...)
	for _, c := range extra {
		c.GroupID = groupSetUp
		root.AddCommand(serverless(c))
	}
	root.SetFlagErrorFunc(usageOf)
	root.SetHelpCommandGroupID(groupSetUp)
	root.SetCompletionCommandGroupID(groupSetUp)
	markRun(root)
	return root
}

// The groups that `greenlight help` sorts commands by.
const (
	groupSee   = "see"
	groupMove  = "move"
	groupSetUp = "setup"
)

func (a *app) commands() []*cobra.Command {
	see := []*cobra.Command{a.statusCommand(), a.historyCommand(), a.checkCommand(), a.reportCommand(), a.adviseCommand(), a.fleetCommand(), a.queueCommand()}
	move := []*cobra.Command{
		a.switchCommand(), a.approveCommand(), a.promoteCommand(), a.pauseCommand(),
		a.resumeCommand(), a.abortCommand(), a.rollbackCommand(), a.drillCommand(),
	}
	setUp := []*cobra.Command{a.policyCommand(), serverless(bootstrapCommand()), serverless(versionCommand())}
	for group, commands := range map[string][]*cobra.Command{groupSee: see, groupMove: move, groupSetUp: setUp} {
		for _, c := range commands {
			c.GroupID = group
		}
	}
	return append(append(see, move...), setUp...)
}

// addCobras adds cobra's own commands. A word that they don't know would be answered
// with help and exit code 0.
func addCobras(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion":
			serverless(group(c))
		case "help":
			c.Run, c.RunE = nil, func(cmd *cobra.Command, args []string) error {
				of, rest, err := cmd.Root().Find(args)
				if err != nil {
					return usageOf(cmd.Root(), err)
				}
				if err := subcommand(of, rest); err != nil {
					return err
				}
				of.InitDefaultHelpFlag()
				return of.Help()
			}
		}
	}
}

// serverless hides the flags that say how a server is asked from the help of a
// command that asks none.
func serverless(c *cobra.Command) *cobra.Command {
	c.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		for _, name := range []string{"server", "timeout"} {
			if f := cmd.InheritedFlags().Lookup(name); f != nil {
				f.Hidden = true
			}
		}
		cmd.Root().HelpFunc()(cmd, args)
	})
	return c
}

func serverDefault() string {
	if s := os.Getenv("GREENLIGHT_SERVER"); s != "" {
		return s
	}
	return DefaultServer
}

// ranError marks an error as a running command's own, in contrast to cobra's
// complaints about the words it was given.
type ranError struct{ error }

func (e *ranError) Unwrap() error { return e.error }

// markRun wraps what every command below c runs.
func markRun(c *cobra.Command) {
	if run := c.RunE; run != nil {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			if err := run(cmd, args); err != nil {
				return &ranError{err}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		markRun(sub)
	}
}

// group makes a command that only holds others; cobra would answer a word that
// is none of them with help and exit code 0.
func group(c *cobra.Command, subs ...*cobra.Command) *cobra.Command {
	c.AddCommand(subs...)
	c.SuggestionsMinimumDistance = 2
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return subcommand(cmd, args)
	}
	return c
}

// subcommand takes no arguments: a word after a command with others below it was
// meant to be one of those.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	message := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		message += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usageOf(cmd, errors.New(message))
}

// noFiles takes the error of registering a completion, which says that the
// flag doesn't exist; a test asks for every flag's completion.
func noFiles(error) {}
