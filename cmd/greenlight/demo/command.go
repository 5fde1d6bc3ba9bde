// Package demo is `greenlight demo`: a whole story of switches on real Envoys on
// this machine, with what users saw counted from outside.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"greenlight/cmd/greenlight/cli"
)

// storyLimit bounds the story, so that a demo that goes wrong ends by itself.
const storyLimit = 3 * time.Minute

// registries are the values of --registry.
var registries = []string{"file", "consul", "auto"}

type options struct {
	registry string
	keep     bool
}

// Command is `greenlight demo`.
func Command() *cobra.Command {
	var opts options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch switches and rollbacks on three real Envoys on this machine",
		Long: `Start two versions of a small trained model, three Envoys in one fleet, a
Greenlight server and a steady load, all on loopback addresses and free ports,
and tell a story: a worse model is refused before any user meets it; a good one
is switched to; it fails while it bakes, users' traffic shows it, and all of it
goes back by itself; an operator rolls back by hand.

It needs an Envoy: $ENVOY, one on the PATH, or .tools/envoy ('make demo' fetches
it). It ends by itself in under a minute and removes what it started. The last
line says how many requests users sent and how many failed unexpectedly; the
exit code is 0 only if none did and the story went as told.`,
		Example: `  greenlight demo
  greenlight demo --registry consul
  greenlight demo --keep        # leave it running, with the addresses to try`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(registries, opts.registry) {
				return cli.WithCode(cli.CodeUsage, fmt.Errorf("--registry %s: must be file, consul or auto", opts.registry))
			}
			return run(cmd.Context(), cmd.OutOrStdout(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.registry, "registry", "auto", "where the demo's instances are found: file, consul, or auto (consul if one is installed)")
	cmd.Flags().BoolVar(&opts.keep, "keep", false, "leave everything running at the end until interrupted")
	return cmd
}

// run sets the stage, tells the story and clears the stage. The closing line is
// printed whatever happened.
func run(ctx context.Context, out io.Writer, opts options) (err error) {
	dir, err := os.MkdirTemp("", "greenlight-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer func() {
		if ctx.Err() != nil && err != nil {
			err = errors.New("interrupted; everything that was started is ended")
		} else if err != nil {
			if os.Remove(dir) != nil { // something is in it
				fmt.Fprintf(out, "logs are kept in %s\n", dir)
			}
			return
		}
		_ = os.RemoveAll(dir) // what can't be removed is in the system's temporary folder
	}()
	teller := &teller{out: out, start: time.Now()}
	s, err := setStage(ctx, teller, dir, opts.registry)
	defer s.clear()
	if err != nil {
		return err
	}

	storyCtx, cancel := context.WithTimeout(ctx, storyLimit)
	defer cancel()
	err = (&story{stage: s, teller: teller}).tell(storyCtx)
	if ctx.Err() != nil && err != nil {
		return err
	}
	if opts.keep && err == nil {
		s.linger(ctx, teller)
	}
	counts := s.load.Stop()
	for _, f := range counts.Failures {
		teller.sayf("unexpected: %s at %s: status %d, color %q, error %v", f.URL, f.Sent.Format(time.TimeOnly), f.Status, f.Color, f.Err)
	}
	if err == nil && counts.Unexpected > 0 {
		err = errors.New("users met failures that the story does not explain")
	}
	teller.title("The end")
	if err != nil {
		teller.sayf("the story went wrong: %v", err)
	} else {
		teller.sayf("%d failed answers came from the model that was made to fail; the rest of the story cost nobody a request", counts.Expected)
	}
	fmt.Fprintf(out, "demo: %d requests, %d unexpected failures\n", counts.Requests, counts.Unexpected)
	return err
}

// teller prints the story with the time since its start.
type teller struct {
	out   io.Writer
	start time.Time
}

func (t *teller) sayf(format string, args ...any) {
	fmt.Fprintf(t.out, "%6.2fs  %s\n", time.Since(t.start).Seconds(), fmt.Sprintf(format, args...))
}

func (t *teller) title(text string) { fmt.Fprintf(t.out, "\n%s\n", text) }
