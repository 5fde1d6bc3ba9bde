package serve

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"
)

// load parses a command line, an environment and a file as the command does.
// Without a file there is none; $DIR in all of them is a folder that exists.
func load(t *testing.T, args []string, env map[string]string, file string) (Config, error) {
	t.Helper()
	dir := t.TempDir()
	fill := func(s string) string { return strings.ReplaceAll(s, "$DIR", dir) }
	name := ""
	if file != "" {
		name = filepath.Join(dir, "greenlight.yaml")
		if err := os.WriteFile(name, []byte(fill(file)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := Defaults()
	set := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	c.flags(set)
	set.String("foreign", "", "a flag that is no part of the configuration")
	all := []string{}
	for _, a := range args {
		all = append(all, fill(a))
	}
	if err := set.Parse(all); err != nil {
		t.Fatal(err)
	}
	err := c.load(set, name, func(v string) string { return fill(env[v]) })
	return c, err
}

func TestDefaultsNeedOnlyAPolicyFolder(t *testing.T) {
	c, err := load(t, []string{"--policies=$DIR"}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	want := Defaults()
	want.Policies = c.Policies
	if c != want {
		t.Errorf("got %+v, want the defaults", c)
	}
	for _, address := range []string{c.Admin, c.HTTP} {
		if !strings.HasPrefix(address, "127.0.0.1:") {
			t.Errorf("%s can be reached from elsewhere by default", address)
		}
	}
}

// Every key wins over the default, every variable over its key, every flag
// over its variable; so it is for each field alone.
func TestPrecedence(t *testing.T) {
	// For each flag: its key and three values that differ from the default.
	for flag, c := range map[string]struct {
		key    string
		values [3]string // of file, environment, command line
	}{
		"policies":        {"policies", [3]string{"/", "/.", "/./."}},
		"registry":        {"registry", [3]string{"file:a", "file:b", "file:c"}},
		"data":            {"data", [3]string{"a", "b", "c"}},
		"xds":             {"xds", [3]string{"a:1", "b:1", "c:1"}},
		"admin":           {"admin", [3]string{"a:1", "b:1", "c:1"}},
		"http":            {"http", [3]string{"a:1", "b:1", "c:1"}},
		"lease":           {"lease", [3]string{"1m0s", "2m0s", "3m0s"}},
		"registry-settle": {"registrySettle", [3]string{"1m0s", "2m0s", "3m0s"}},

		"check-hosts":   {"checkHosts", [3]string{"a", "b:9090", "c,d"}},
		"check-secrets": {"checkSecrets", [3]string{"/", "/.", "/./."}},

		"consul-datacenter": {"consulDatacenter", [3]string{"one", "two", "three"}},
		"consul-token-file": {"consulTokenFile", [3]string{"one", "two", "three"}},
		"consul-stale":      {"consulStale", [3]string{"true", "false", "true"}},
		"reconnect-grace":   {"reconnectGrace", [3]string{"1m0s", "0s", "3m0s"}},
		"new-within":        {"newWithin", [3]string{"1m0s", "2m0s", "3m0s"}},
		"allow-removal":     {"allowRemoval", [3]string{"true", "false", "true"}},
		"addresses":         {"addresses", [3]string{"a", "b", "c"}},
		"log-level":         {"logLevel", [3]string{"debug", "warn", "error"}},
		"log-format":        {"logFormat", [3]string{"json", "text", "auto"}},
	} {
		t.Run(flag, func(t *testing.T) {
			base := []string{"--policies=$DIR"}
			if flag == "policies" {
				base = nil // the folder itself is looked for
			}
			file, env := c.key+": "+c.values[0]+"\n", map[string]string{Variable(flag): c.values[1]}
			for n, got := range []func() (Config, error){
				func() (Config, error) { return load(t, base, nil, file) },
				func() (Config, error) { return load(t, base, env, file) },
				func() (Config, error) { return load(t, append(base, "--"+flag+"="+c.values[2]), env, file) },
			} {
				config, err := got()
				if err != nil {
					t.Fatal(err)
				}
				shown := pflag.NewFlagSet("", pflag.ContinueOnError)
				config.flags(shown)
				if value := shown.Lookup(flag).Value.String(); value != c.values[n] {
					t.Errorf("with %d sources %s = %s, want %s", n+1, flag, value, c.values[n])
				}
			}
		})
	}
}

// A field that has no flag, or no key, could be set in one way only.
func TestEveryFieldHasAFlagAndAKey(t *testing.T) {
	c := Defaults()
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.flags(set)
	fields, flags := reflect.TypeFor[Config]().NumField(), 0
	set.VisitAll(func(f *pflag.Flag) {
		flags++
		key := ""
		for i, part := range strings.Split(f.Name, "-") {
			if i > 0 {
				part = strings.ToUpper(part[:1]) + part[1:]
			}
			key += part
		}
		if err := yaml.UnmarshalWithOptions([]byte(key+": null\n"), &Config{}, yaml.Strict()); err != nil {
			t.Errorf("--%s is not the key %s: %v", f.Name, key, err)
		}
		if f.Usage == "" {
			t.Errorf("--%s is not explained", f.Name)
		}
	})
	if flags != fields {
		t.Errorf("%d flags for %d fields", flags, fields)
	}
}

func TestVariable(t *testing.T) {
	if got := Variable("log-level"); got != "GREENLIGHT_LOG_LEVEL" {
		t.Errorf("got %s", got)
	}
}

// An empty variable is one that is not set, as shells and service files leave it.
func TestEmptyVariableIsNotSet(t *testing.T) {
	c, err := load(t, []string{"--policies=$DIR"}, map[string]string{"GREENLIGHT_LEASE": "", "GREENLIGHT_FOREIGN": "x"}, "lease: 5m\n")
	if err != nil || c.Lease != 5*time.Minute {
		t.Errorf("lease %v, %v", c.Lease, err)
	}
}

func TestFileThatSaysNothing(t *testing.T) {
	for _, file := range []string{" ", "\n\n", "# lease: 5m\n", "---\n", "---\n# nothing\n"} {
		c, err := load(t, []string{"--policies=$DIR"}, nil, file)
		if want := Defaults(); err != nil || c.Lease != want.Lease || c.XDS != want.XDS {
			t.Errorf("%q: %+v, %v", file, c, err)
		}
	}
}

func TestBrokenFile(t *testing.T) {
	for file, want := range map[string]string{
		"leas: 5m\n":                         `[1:1] unknown key "leas"; keys are the flags' names in camelCase`,
		"lease: 5m\nadmin: a:1\nlease: 6m\n": `[3:1] mapping key "lease" already defined at [1:1]`,
		"allow-removal: true\n":              `[1:1] unknown key "allow-removal"`,
		"lease: 5\n":                         "[1:8] must be a number with a unit, like 500ms, 30s or 1h30m\n",
		"lease: soon\n":                      `invalid duration "soon"`,
		"allowRemoval: perhaps\n":            "[1:15] must be true or false\n",
		"- lease\n":                          "mapping is expected",
		"lease: [\n":                         "[1:8]",
		"\x00\x01":                           "mapping is expected",
		"lease: 5m\n---\nlease: 6m\n":        "more than one YAML document",
		"lease: 5m\n---\nleas: 6m\n":         "more than one YAML document",
	} {
		c, err := load(t, []string{"--policies=$DIR"}, nil, file)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "read configuration /") ||
			!strings.Contains(err.Error(), "greenlight.yaml: ") {
			t.Errorf("%q: %v, want %s", file, err, want)
		}
		if c.Lease != time.Hour {
			t.Errorf("%q: a broken file was used: %+v", file, c)
		}
	}
}

func TestMissingFile(t *testing.T) {
	c := Defaults()
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.flags(set)
	err := c.load(set, "/nowhere/greenlight.yaml", os.Getenv)
	if err == nil || err.Error() != "read configuration: open /nowhere/greenlight.yaml: no such file or directory" {
		t.Error(err)
	}
}

func TestBadVariablesAreAllNamed(t *testing.T) {
	_, err := load(t, []string{"--policies=$DIR"}, map[string]string{
		"GREENLIGHT_LEASE": "soon", "GREENLIGHT_ALLOW_REMOVAL": "perhaps", "GREENLIGHT_RECONNECT_GRACE": "5",
	}, "")
	for _, want := range []string{
		`GREENLIGHT_LEASE="soon": must be a number with a unit`,
		`GREENLIGHT_ALLOW_REMOVAL="perhaps": must be true or false`,
		`GREENLIGHT_RECONNECT_GRACE="5": must be a number with a unit`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// rules has, for each rule of check, what breaks it and the whole message.
var rules = map[string]struct{ flag, message string }{
	"registry":          {"--registry=etcd", `registry = "etcd"; must be "consul" or "file:PATH"`},
	"registry path":     {"--registry=file:", `registry = "file:"; must be "consul" or "file:PATH"`},
	"registry empty":    {"--registry=", `registry = ""; must be "consul" or "file:PATH"`},
	"data":              {"--data=", `data = ""; must name a folder`},
	"xds":               {"--xds=18000", `xds = "18000"; must be HOST:PORT, or :PORT for every interface`},
	"admin empty":       {"--admin=", `admin = ""; must be HOST:PORT, or :PORT for every interface`},
	"http without port": {"--http=127.0.0.1:", `http = "127.0.0.1:"; must be HOST:PORT, or :PORT for every interface`},
	"lease":             {"--lease=0s", "lease = 0s; must be > 0"},
	"settle":            {"--registry-settle=0s", "registry-settle = 0s; must be > 0"},
	"lease negative":    {"--lease=-1s", "lease = -1s; must be > 0"},
	"reconnect grace":   {"--reconnect-grace=-1s", "reconnect-grace = -1s; must not be negative"},
	"new within":        {"--new-within=0s", "new-within = 0s; must be > 0"},
	"policies":          {"--policies=/nowhere", "policies: stat /nowhere: no such file or directory; make the folder or name another one with --policies"},
	"policies is file":  {"--policies=/dev/null", "policies = /dev/null is not a folder"},
	"hosts":             {"--check-hosts=a,http://b", `check-hosts: "http://b" is no host; must be HOST or HOST:PORT (1 to 65535), without scheme, path or wildcard`},
	"hosts wildcard":    {"--check-hosts=*.internal", `check-hosts: "*.internal" is no host; must be HOST or HOST:PORT (1 to 65535), without scheme, path or wildcard`},
	"hosts port":        {"--check-hosts=a:0", `check-hosts: "a:0" is no host; must be HOST or HOST:PORT (1 to 65535), without scheme, path or wildcard`},
	"secrets":           {"--check-secrets=/nowhere", "check-secrets: stat /nowhere: no such file or directory; make the folder or name another one"},
	"secrets is file":   {"--check-secrets=/dev/null", "check-secrets = /dev/null is not a folder"},
	"groups":            {"--groups=/nowhere.yaml", "groups: read groups: open /nowhere.yaml: no such file or directory"},
	"log level":         {"--log-level=loud", `log-level = "loud"; must be debug, info, warn or error`},
	"log format":        {"--log-format=xml", `log-format = "xml"; must be auto, text or json`},
}

func TestRules(t *testing.T) {
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, []string{"--policies=$DIR", rule.flag}, nil, "")
			if err == nil || err.Error() != rule.message {
				t.Errorf("got  %v\nwant %s", err, rule.message)
			}
		})
	}
}

func TestAllBrokenRulesAreNamedAtOnce(t *testing.T) {
	_, err := load(t, []string{"--registry=etcd", "--lease=0s", "--policies=/nowhere", "--log-format=xml"}, nil, "")
	if err == nil {
		t.Fatal("accepted")
	}
	for _, name := range []string{"registry", "lease", "policies", "log format"} {
		if !strings.Contains(err.Error(), rules[name].message) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}

func TestHostsAreAListOrRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		file string
	}{
		"flags":     {[]string{"--check-hosts=a,b:1", "--check-hosts=c"}, ""},
		"a list":    {nil, "checkHosts: [a, 'b:1', c]\n"},
		"a text":    {nil, "checkHosts: a,b:1,c\n"},
		"flag wins": {[]string{"--check-hosts=a,b:1,c"}, "checkHosts: [d]\n"},
	} {
		got, err := load(t, append([]string{"--policies=$DIR"}, c.args...), nil, c.file)
		if err != nil || got.CheckHosts != "a,b:1,c" {
			t.Errorf("%s: hosts %q, %v", name, got.CheckHosts, err)
		}
	}
	if _, err := load(t, []string{"--policies=$DIR"}, nil, "checkHosts: {a: b}\n"); err == nil {
		t.Error("a map was taken for hosts")
	}
}

func TestGoodConfigurations(t *testing.T) {
	for _, flag := range []string{
		"--registry=file:/etc/greenlight/instances.json", "--xds=:0", "--xds=[::1]:18000", "--admin=localhost:0",
		"--check-hosts=a.internal,[::1]:9090,::1,10.0.0.1:80", "--check-secrets=$DIR",
		"--reconnect-grace=0s", "--log-level=DEBUG", "--log-format=json",
	} {
		if _, err := load(t, []string{"--policies=$DIR", flag}, nil, ""); err != nil {
			t.Errorf("%s: %v", flag, err)
		}
	}
}
