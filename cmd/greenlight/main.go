// Command greenlight switches live inference traffic between two colors of a
// model on fleets of Envoys.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"greenlight/cmd/greenlight/cli"
	"greenlight/cmd/greenlight/demo"
	"greenlight/cmd/greenlight/serve"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, serve.Command(), demo.Command())
	stop()
	os.Exit(code)
}
