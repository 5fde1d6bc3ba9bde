package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// everyCommand calls visit for each of Greenlight's commands.
func everyCommand(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, sub := range c.Commands() {
		everyCommand(sub, visit)
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	everyCommand(newRoot(nil), func(c *cobra.Command) {
		for what, text := range map[string]string{"Short": c.Short, "Long": c.Long, "Example": c.Example} {
			if text == "" {
				t.Errorf("%s has no %s", c.CommandPath(), what)
			}
		}
		if !strings.Contains(c.Example, c.CommandPath()) {
			t.Errorf("the example of %s does not use it", c.CommandPath())
		}
		if c.Runnable() && c.ValidArgsFunction == nil && c.Name() != "lint" && !c.HasSubCommands() {
			t.Errorf("%s completes its arguments to files", c.CommandPath())
		}
	})
}

func TestEveryFlagCompletes(t *testing.T) {
	everyCommand(newRoot(nil), func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if _, ok := c.GetFlagCompletionFunc(f.Name); !ok && f.Value.Type() != "bool" {
				t.Errorf("%s --%s completes to files", c.CommandPath(), f.Name)
			}
		})
	})
}

// The manual has each command, with each of its flags.
func TestManualIsComplete(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	manual := string(raw)
	everyCommand(newRoot(nil), func(c *cobra.Command) {
		if !strings.Contains(manual, c.CommandPath()) {
			t.Errorf("docs/cli.md lacks %s", c.CommandPath())
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(manual, "--"+f.Name) {
				t.Errorf("docs/cli.md lacks --%s of %s", f.Name, c.CommandPath())
			}
		})
	})
}
