package serve

import (
	"os"

	"github.com/spf13/cobra"

	"greenlight/cmd/greenlight/cli"
)

// Command is `greenlight serve`.
func Command() *cobra.Command { return CommandWith(Options{}) }

// CommandWith is Command with opts; a nil opts.Log is made as the configuration says.
func CommandWith(opts Options) *cobra.Command {
	config, file := Defaults(), ""
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the control plane: xDS for the fleets, the admin API for you",
		Long: `Run the control plane.

It reads the policy folder, watches the registry, and serves routing to every
Envoy that connects. Nothing is sent before policies, journal and registry have
each given a whole answer.

Every flag can be given by an environment variable, too: --log-level is
GREENLIGHT_LOG_LEVEL. A flag wins over the environment, the environment over the
configuration file. Consul is reached as its own clients are
(CONSUL_HTTP_ADDR, CONSUL_HTTP_TOKEN, CONSUL_CACERT, ...).`,
		Example: `  greenlight serve --config greenlight.yaml
  greenlight serve --policies policies --registry file:instances.json --data /var/lib/greenlight`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("config") {
				file = os.Getenv(Variable("config"))
			}
			if err := config.load(cmd.Flags(), file, os.Getenv); err != nil {
				return cli.WithCode(cli.CodeUsage, err)
			}
			if opts.Log == nil {
				opts.Log = newLog(os.Stderr, config.level(), config.LogFormat)
			}
			return Run(cmd.Context(), config, opts)
		},
	}
	config.flags(cmd.Flags())
	cmd.Flags().StringVar(&file, "config", "", "configuration file (YAML; the keys are the flags' names in camelCase)")
	return cmd
}
