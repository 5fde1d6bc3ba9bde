package serve

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/pflag"

	"greenlight/policy/git"
)

var errTwoSources = errors.New("policies and policy-git are both named; name one")

// repository is what the configuration says of the repository of policies.
func (c *Config) repository() git.Options {
	return git.Options{
		URL: c.PolicyGit, Ref: c.PolicyGitRef, Path: c.PolicyGitPath,
		Interval: c.PolicyGitInterval, Timeout: c.PolicyGitTimeout,
		Folder: filepath.Join(c.Data, "policies"), AllowRemoval: c.AllowRemoval,
		Username: c.PolicyGitUsername, PasswordFile: c.PolicyGitPasswordFile, TokenFile: c.PolicyGitTokenFile,
		CAFile: c.PolicyGitCAFile, SSHKeyFile: c.PolicyGitSSHKey, SSHKnownHostsFile: c.PolicyGitKnownHosts,
		SignedBy: c.PolicyGitSignedBy.list(),
	}
}

func (c *Config) gitFlags(set *pflag.FlagSet) {
	set.StringVar(&c.PolicyGit, "policy-git", c.PolicyGit, "git repository of policies, instead of a folder: https://, ssh://, USER@HOST:PATH, file:// or a path; never with a secret in it")
	set.StringVar(&c.PolicyGitRef, "policy-git-ref", c.PolicyGitRef, "branch or tag (default: the branch that HEAD of the repository points at)")
	set.StringVar(&c.PolicyGitPath, "policy-git-path", c.PolicyGitPath, "folder of the repository that holds the policies (default: all of it)")
	set.DurationVar(&c.PolicyGitInterval, "policy-git-interval", c.PolicyGitInterval, "time between two looks at the repository")
	set.DurationVar(&c.PolicyGitTimeout, "policy-git-timeout", c.PolicyGitTimeout, "longest time that a fetch may take")
	set.StringVar(&c.PolicyGitUsername, "policy-git-username", c.PolicyGitUsername, "user for https (with a token most servers take any, which is the default)")
	set.StringVar(&c.PolicyGitPasswordFile, "policy-git-password-file", c.PolicyGitPasswordFile, "file with the user's password, read again before every fetch")
	set.StringVar(&c.PolicyGitTokenFile, "policy-git-token-file", c.PolicyGitTokenFile, "file with an access token for https, read again before every fetch")
	set.StringVar(&c.PolicyGitCAFile, "policy-git-ca-file", c.PolicyGitCAFile, "file with the only authorities that may sign the server's certificate (default: the system's)")
	set.StringVar(&c.PolicyGitSSHKey, "policy-git-ssh-key", c.PolicyGitSSHKey, "file with the private key for ssh, read again before every fetch")
	set.StringVar(&c.PolicyGitKnownHosts, "policy-git-known-hosts", c.PolicyGitKnownHosts, "known_hosts file with the server's key; ssh needs it")
	set.Var(&c.PolicyGitSignedBy, "policy-git-signed-by", "files with the keys of which one must have signed a commit: OpenPGP keyrings or allowed_signers of SSH, with commas or repeated (default: any commit counts)")
	set.StringVar(&c.PolicyGitHookSecretFile, "policy-git-hook-secret-file", c.PolicyGitHookSecretFile, "file with the secret of push hooks; with it POST /hooks/git has the repository looked at now")
}

// checkGit is check for the repository.
func (c *Config) checkGit() []error {
	var problems []error
	if c.PolicyGitInterval <= 0 {
		problems = append(problems, fmt.Errorf("policy-git-interval = %v; must be > 0", c.PolicyGitInterval))
	}
	if c.PolicyGitTimeout <= 0 {
		problems = append(problems, fmt.Errorf("policy-git-timeout = %v; must be > 0", c.PolicyGitTimeout))
	}
	if c.PolicyGit != "" {
		if err := c.repository().Check(); err != nil && c.Data != "" {
			problems = append(problems, fmt.Errorf("policy-git: %w", err))
		}
		return problems
	}
	set, standard := pflag.NewFlagSet("", pflag.ContinueOnError), Defaults()
	standard.gitFlags(set)
	mine := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.gitFlags(mine)
	mine.VisitAll(func(f *pflag.Flag) {
		if f.Value.String() != set.Lookup(f.Name).Value.String() {
			problems = append(problems, fmt.Errorf("%s is of no use without policy-git", f.Name))
		}
	})
	return problems
}
