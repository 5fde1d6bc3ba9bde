// Package serve wires Greenlight's server together: policies, registry, checks,
// the loops, the xDS server and the admin API in one process.
package serve

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"

	"greenlight/check"
	"greenlight/cmd/greenlight/cli"
	"greenlight/policy/git"
	"greenlight/registry"
)

// Config is what a server needs to know. A flag wins over its environment
// variable, which wins over the configuration file, which wins over the default.
type Config struct {
	// Policies is the folder of policy files.
	Policies string `yaml:"policies"`
	// PolicyGit is the git repository of policies, instead of a folder; what belongs
	// to it is told by its flags and by git.Options.
	PolicyGit               string        `yaml:"policyGit"`
	PolicyGitRef            string        `yaml:"policyGitRef"`
	PolicyGitPath           string        `yaml:"policyGitPath"`
	PolicyGitInterval       time.Duration `yaml:"policyGitInterval"`
	PolicyGitTimeout        time.Duration `yaml:"policyGitTimeout"`
	PolicyGitUsername       string        `yaml:"policyGitUsername"`
	PolicyGitPasswordFile   string        `yaml:"policyGitPasswordFile"`
	PolicyGitTokenFile      string        `yaml:"policyGitTokenFile"`
	PolicyGitCAFile         string        `yaml:"policyGitCaFile"`
	PolicyGitSSHKey         string        `yaml:"policyGitSshKey"`
	PolicyGitKnownHosts     string        `yaml:"policyGitKnownHosts"`
	PolicyGitSignedBy       FileList      `yaml:"policyGitSignedBy"`
	PolicyGitHookSecretFile string        `yaml:"policyGitHookSecretFile"`
	// Registry is "consul" or "file:PATH".
	Registry string `yaml:"registry"`
	// RegistrySettle is how long a suspicious answer of the registry must stand
	// before it is believed.
	RegistrySettle time.Duration `yaml:"registrySettle"`
	// ConsulDatacenter is asked when a policy names none; empty: the agent's own.
	ConsulDatacenter string `yaml:"consulDatacenter"`
	// ConsulTokenFile holds the ACL token and is read again before every query;
	// empty: what CONSUL_HTTP_TOKEN or CONSUL_HTTP_TOKEN_FILE say.
	ConsulTokenFile string `yaml:"consulTokenFile"`
	// ConsulStale lets any Consul server answer, even while there is no leader.
	ConsulStale bool `yaml:"consulStale"`
	// Data is the folder that holds the journal; it is made if it is not there.
	Data string `yaml:"data"`

	XDS   string `yaml:"xds"`   // address of the xDS server
	Admin string `yaml:"admin"` // address of the admin API
	HTTP  string `yaml:"http"`  // address of /metrics, /healthz and /readyz

	// Lease is how long a node that went away is believed to keep its routing.
	Lease time.Duration `yaml:"lease"`
	// ReconnectGrace is how long after a start known nodes may take to come
	// back before anything is confirmed without them.
	ReconnectGrace time.Duration `yaml:"reconnectGrace"`
	// NewWithin is how long a start waits for the registry's first answer on
	// models that were never routed.
	NewWithin time.Duration `yaml:"newWithin"`
	// AllowRemoval lets a model whose policy file is gone be taken off the fleets.
	AllowRemoval bool `yaml:"allowRemoval"`
	// CheckHosts are what prometheus and webhook checks may reach: HOST for every
	// port, or HOST:PORT. None by default.
	CheckHosts HostList `yaml:"checkHosts"`
	// CheckSecrets is the folder below which policies may name files as secrets;
	// empty: none.
	CheckSecrets string `yaml:"checkSecrets"`
	// Groups is the file of the groups that approve.by of policies names; empty: none.
	Groups string `yaml:"groups"`
	// Addresses is a file that gets the addresses really listened on, as JSON;
	// empty means none. It is for scripts that listen on port 0.
	Addresses string `yaml:"addresses"`
	LogLevel  string `yaml:"logLevel"`  // debug, info, warn, error
	LogFormat string `yaml:"logFormat"` // text, json, or auto: text on a terminal
}

// Defaults are safe for one machine: the admin API and the HTTP pages are
// reachable from this machine only.
func Defaults() Config {
	return Config{
		Policies: "policies", PolicyGitInterval: git.DefaultInterval, PolicyGitTimeout: git.DefaultTimeout, Registry: "consul", Data: "greenlight-data",
		XDS: ":18000", Admin: "127.0.0.1:18001", HTTP: "127.0.0.1:18002",
		RegistrySettle: registry.DefaultSettle,
		Lease:          time.Hour, ReconnectGrace: 10 * time.Second, NewWithin: 10 * time.Second,
		LogLevel: "info", LogFormat: "auto",
	}
}

// flags defines one flag for each field of c, with c's values as defaults.
func (c *Config) flags(set *pflag.FlagSet) {
	set.StringVar(&c.Policies, "policies", c.Policies, "folder of policy files, watched")
	c.gitFlags(set)
	set.StringVar(&c.Registry, "registry", c.Registry, `where instances are found: "consul", or "file:PATH"`)
	set.DurationVar(&c.RegistrySettle, "registry-settle", c.RegistrySettle, "how long a suspicious answer of the registry must stand before it is believed")
	set.StringVar(&c.ConsulDatacenter, "consul-datacenter", c.ConsulDatacenter, "datacenter to ask when a policy names none (default: the agent's own)")
	set.StringVar(&c.ConsulTokenFile, "consul-token-file", c.ConsulTokenFile, "file with the Consul ACL token, read again before every query")
	set.BoolVar(&c.ConsulStale, "consul-stale", c.ConsulStale, "let any Consul server answer, even while there is no leader")
	set.StringVar(&c.Data, "data", c.Data, "folder of the journal")
	set.StringVar(&c.XDS, "xds", c.XDS, "address of the xDS server")
	set.StringVar(&c.Admin, "admin", c.Admin, "address of the admin API")
	set.StringVar(&c.HTTP, "http", c.HTTP, "address of /metrics, /healthz and /readyz")
	set.DurationVar(&c.Lease, "lease", c.Lease, "how long a node that went away is believed to keep its routing")
	set.DurationVar(&c.ReconnectGrace, "reconnect-grace", c.ReconnectGrace, "time that known nodes have to come back after a start")
	set.DurationVar(&c.NewWithin, "new-within", c.NewWithin, "time that a start waits for the registry's first answer on models that were never routed")
	set.BoolVar(&c.AllowRemoval, "allow-removal", c.AllowRemoval, "take models off the fleets when their policy file is gone")
	set.Var(&c.CheckHosts, "check-hosts", "hosts that prometheus and webhook checks may reach: HOST or HOST:PORT, with commas or repeated (default: none)")
	set.StringVar(&c.CheckSecrets, "check-secrets", c.CheckSecrets, "folder below which policies may name files as secrets (default: none)")
	set.StringVar(&c.Groups, "groups", c.Groups, "file of groups and their members, by which policies say who approves; read again for every approval")
	set.StringVar(&c.Addresses, "addresses", c.Addresses, "file that gets the addresses listened on, as JSON")
	set.StringVar(&c.LogLevel, "log-level", c.LogLevel, "debug, info, warn or error")
	set.StringVar(&c.LogFormat, "log-format", c.LogFormat, "text, json, or auto (text on a terminal)")
}

// Variable is the environment variable of a flag: --log-level is GREENLIGHT_LOG_LEVEL.
func Variable(flag string) string {
	return "GREENLIGHT_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// load fills what set's flags did not set: first from the environment, then
// from the file. set must have been made by flags of c and parsed.
func (c *Config) load(set *pflag.FlagSet, file string, getenv func(string) string) error {
	fromFile := Defaults()
	fromFile.Policies = "" // so that it is seen whether the file names it
	if file != "" {
		if err := readFile(file, &fromFile); err != nil {
			return err
		}
	}
	folder := set.Lookup("policies")
	named := folder.Changed || getenv(Variable(folder.Name)) != "" || fromFile.Policies != ""
	if fromFile.Policies == "" {
		fromFile.Policies = Defaults().Policies
	}
	lower := pflag.NewFlagSet("file", pflag.ContinueOnError)
	fromFile.flags(lower)

	var problems []error
	set.VisitAll(func(f *pflag.Flag) {
		below := lower.Lookup(f.Name)
		if below == nil || f.Changed {
			return
		}
		value := getenv(Variable(f.Name))
		if value == "" {
			value = below.Value.String()
		}
		if err := f.Value.Set(value); err != nil {
			if rule := cli.ValueRule(f.Value.Type()); rule != "" {
				err = errors.New(rule)
			}
			problems = append(problems, fmt.Errorf("%s=%q: %w", Variable(f.Name), value, err))
		}
	})
	if err := errors.Join(problems...); err != nil {
		return err
	}
	if c.PolicyGit != "" && named {
		return errors.Join(errTwoSources, c.check())
	}
	return c.check()
}

// readFile decodes file strictly: an unknown or doubled key is an error that
// shows its line. What the file does not name stays as it is in into.
func readFile(file string, into *Config) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	read := *into
	switch err := decoder.Decode(&read); {
	case errors.Is(err, io.EOF): // empty, or nothing but comments
		return nil
	case err != nil:
		return fmt.Errorf("read configuration %s: %s", file, fileFault(err))
	}
	if err := decoder.Decode(&Config{}); !errors.Is(err, io.EOF) {
		return fmt.Errorf("read configuration %s: more than one YAML document; there must be one", file)
	}
	*into = read
	return nil
}

// fileFault says what a key or value has to be, where the decoder names Go's types.
func fileFault(err error) string {
	text := strings.TrimRight(err.Error(), "\n")
	var mistyped *yaml.TypeError
	var unknown *yaml.UnknownFieldError
	switch {
	case errors.As(err, &mistyped):
		rule := "must be a text"
		switch mistyped.DstType {
		case reflect.TypeFor[time.Duration]():
			rule = cli.ValueRule("duration")
		case reflect.TypeFor[bool]():
			rule = cli.ValueRule("bool")
		}
		return strings.Replace(text, mistyped.GetMessage(), rule, 1)
	case errors.As(err, &unknown):
		key := strings.TrimPrefix(unknown.GetMessage(), "unknown field ")
		return strings.Replace(text, unknown.GetMessage(), "unknown key "+key+"; keys are the flags' names in camelCase", 1)
	default:
		return text
	}
}

// check names everything that is wrong at once.
func (c *Config) check() error {
	var problems []error
	if path, ok := strings.CutPrefix(c.Registry, "file:"); c.Registry != "consul" && (!ok || path == "") {
		problems = append(problems, fmt.Errorf(`registry = %q; must be "consul" or "file:PATH"`, c.Registry))
	}
	if c.RegistrySettle <= 0 {
		problems = append(problems, fmt.Errorf("registry-settle = %v; must be > 0", c.RegistrySettle))
	}
	if c.Data == "" {
		problems = append(problems, errors.New(`data = ""; must name a folder`))
	}
	for _, a := range []struct{ name, address string }{{"xds", c.XDS}, {"admin", c.Admin}, {"http", c.HTTP}} {
		// An empty address would be listened on at every interface.
		if _, port, err := net.SplitHostPort(a.address); err != nil || port == "" {
			problems = append(problems, fmt.Errorf("%s = %q; must be HOST:PORT, or :PORT for every interface", a.name, a.address))
		}
	}
	if c.Lease <= 0 {
		problems = append(problems, fmt.Errorf("lease = %v; must be > 0", c.Lease))
	}
	if c.ReconnectGrace < 0 {
		problems = append(problems, fmt.Errorf("reconnect-grace = %v; must not be negative", c.ReconnectGrace))
	}
	if c.NewWithin <= 0 {
		problems = append(problems, fmt.Errorf("new-within = %v; must be > 0", c.NewWithin))
	}
	problems = append(problems, c.checkGit()...)
	if info, err := os.Stat(c.Policies); c.PolicyGit != "" {
		// There is no folder.
	} else if err != nil {
		problems = append(problems, fmt.Errorf("policies: %w; make the folder or name another one with --policies", err))
	} else if !info.IsDir() {
		problems = append(problems, fmt.Errorf("policies = %s is not a folder", c.Policies))
	}
	if _, err := check.ParseHosts(string(c.CheckHosts)); err != nil {
		problems = append(problems, fmt.Errorf("check-hosts: %w", err))
	}
	if info, err := os.Stat(c.CheckSecrets); c.CheckSecrets != "" && err != nil {
		problems = append(problems, fmt.Errorf("check-secrets: %w; make the folder or name another one", err))
	} else if c.CheckSecrets != "" && !info.IsDir() {
		problems = append(problems, fmt.Errorf("check-secrets = %s is not a folder", c.CheckSecrets))
	}
	if c.Groups != "" {
		if _, err := readGroups(c.Groups); err != nil {
			problems = append(problems, fmt.Errorf("groups: %w", err))
		}
	}
	if _, err := logLevel(c.LogLevel); err != nil {
		problems = append(problems, err)
	}
	if c.LogFormat != "auto" && c.LogFormat != "text" && c.LogFormat != "json" {
		problems = append(problems, fmt.Errorf("log-format = %q; must be auto, text or json", c.LogFormat))
	}
	return errors.Join(problems...)
}
