package cli_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"greenlight/cmd/greenlight/cli"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// TestMain lets scripts run the command line as a program of its own.
func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"greenlight": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		code := cli.Execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, extra())
		stop()
		os.Exit(code)
	}})
}

// leakChecked runs the tests and then looks for goroutines that they left.
type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		println(err.Error())
		return 1
	}
	return code
}

// extra is a command as cmd/greenlight adds its own.
func extra() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Run the server", Long: "Run the server.", Example: "  greenlight serve",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				code, _ := strconv.Atoi(args[0])
				return cli.WithCode(code, errors.New("said so"))
			}
			return errors.New("listen: address in use")
		},
	}
}

// Every script gets a server of its own, with the models that fake_test.go describes.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			s, err := startFake()
			if err != nil {
				return err
			}
			env.Defer(s.stop)
			env.Setenv("GREENLIGHT_SERVER", s.addr)
			env.Setenv("GREENLIGHT_ACTOR", "ann")
			env.Setenv("TZ", "UTC")
			env.Values[fakeKey{}] = s
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "waitfor": waitFor, "watched": watched,
		},
	})
}

// exits runs a command and checks its exit code: exits 2 greenlight status --nope
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	if err != nil {
		ts.Fatalf("exit code %q is no number", args[0])
	}
	got := 0
	var ended *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &ended) {
		got = ended.ExitCode()
	} else if err != nil {
		ts.Fatalf("run %s: %v", args[1], err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// fakeKey finds the script's server in its environment.
type fakeKey struct{}

// waitFor waits until a model is in a phase: waitfor slow baking
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfor MODEL PHASE")
	}
	eventually(ts, args[0]+" "+args[1], func(f *fake) bool { return f.phase(args[0]) == args[1] })
}

// watched waits until somebody follows the server's models.
func watched(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: watched")
	}
	eventually(ts, "somebody who watches", (*fake).watched)
}

func eventually(ts *testscript.TestScript, what string, holds func(*fake) bool) {
	const patience = 30 * time.Second
	f, ok := ts.Value(fakeKey{}).(*fake)
	if !ok {
		ts.Fatalf("the script has no server")
	}
	for end := time.Now().Add(patience); !holds(f); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("no %s after %s", what, patience)
		}
	}
}
