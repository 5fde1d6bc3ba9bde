// Command modelserver serves one version of the example model until it is
// interrupted, and prints where.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"greenlight/examples/models"
	"greenlight/examples/modelserver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "modelserver:", err)
		os.Exit(1)
	}
}

// run serves until ctx is done. The first line on out is for programs:
// "http ADDRESS", and with gRPC " grpc ADDRESS".
func run(ctx context.Context, args []string, out, usage io.Writer) error {
	var o modelserver.Options
	flags := flag.NewFlagSet("modelserver", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.StringVar(&o.Name, "name", models.Name, "model name in paths")
	flags.StringVar(&o.Version, "version", "", fmt.Sprintf("embedded version to serve: one of %v (default %s)", models.Versions(), models.Good))
	flags.StringVar(&o.ModelFile, "model-file", "", "coefficients as JSON, instead of an embedded version")
	flags.StringVar(&o.Color, "color", "", "what the x-model-color header says")
	flags.StringVar(&o.Addr, "addr", "127.0.0.1:0", "HTTP address")
	flags.StringVar(&o.GRPCAddr, "grpc-addr", "", "gRPC address; empty for none")
	flags.DurationVar(&o.Delay, "delay", 0, "time added to every inference")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := modelserver.Start(ctx, o)
	if err != nil {
		return err
	}
	fmt.Fprint(out, "http ", s.Addr())
	if s.GRPCAddr() != "" {
		fmt.Fprint(out, " grpc ", s.GRPCAddr())
	}
	fmt.Fprintln(out)
	<-ctx.Done()
	return s.Close()
}
