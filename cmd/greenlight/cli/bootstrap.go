package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"greenlight/policy"
	"greenlight/xds/resource"
)

func bootstrapCommand() *cobra.Command {
	var o resource.Options
	grpc := false
	cmd := &cobra.Command{
		Use:   "bootstrap FLEET",
		Short: "Print a bootstrap for an Envoy (or gRPC client) of a fleet",
		Long: `Print the bootstrap of an Envoy that takes everything from Greenlight: keepalive
and jittered back-off towards the server, and its node.cluster set to FLEET.
With --grpc, print the xDS bootstrap that gRPC clients read. Needs no server.`,
		Example: `  greenlight bootstrap edge --xds greenlight.internal:18000 > envoy.json
  envoy -c envoy.json --service-node "$(hostname)"
  greenlight bootstrap apps --grpc --node app-1 > xds.json   # GRPC_XDS_BOOTSTRAP=xds.json`,
		Args:              exactlyOne("FLEET"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := cmd.Flags()
	f.StringVar(&o.Node, "node", "", "the node's `id`, unique in the fleet; Envoy can take it from --service-node instead")
	f.StringVar(&o.Server, "xds", "127.0.0.1:18000", "`address` of the server's xDS port")
	f.StringVar(&o.Admin, "admin", "127.0.0.1:9901", "`address` of Envoy's admin interface")
	f.BoolVar(&o.Delta, "delta", false, "use incremental xDS")
	f.BoolVar(&grpc, "grpc", false, "print a bootstrap for gRPC clients")
	for _, name := range []string{"node", "xds", "admin"} {
		noFiles(cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions))
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Fleet = args[0]
		if fault := policy.FleetFault(o.Fleet); fault != "" {
			return usageOf(cmd, fmt.Errorf("no fleet can be named %q: %s", o.Fleet, fault))
		}
		render := resource.Bootstrap
		if grpc {
			render = resource.GRPCBootstrap
			if o.Delta || cmd.Flags().Changed("admin") {
				return usageOf(cmd, errors.New("--delta and --admin are Envoy's, and can't be used with --grpc"))
			}
		}
		raw, err := render(o)
		if err != nil {
			return usageOf(cmd, err) // made of the flags alone
		}
		return write(cmd.OutOrStdout(), raw)
	}
	return cmd
}
