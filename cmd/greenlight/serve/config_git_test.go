package serve

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestARepositoryInsteadOfAFolder(t *testing.T) {
	c, err := load(t, []string{"--policy-git-ref=main"}, map[string]string{"GREENLIGHT_POLICY_GIT_PATH": "policies"}, `
policyGit: ssh://git@git.example/policies.git
policyGitRef: next
policyGitInterval: 5m
policyGitSshKey: /etc/greenlight/key
policyGitKnownHosts: /etc/greenlight/known_hosts
policyGitSignedBy: [/etc/greenlight/allowed_signers, /etc/greenlight/keys.asc]
policyGitHookSecretFile: /etc/greenlight/hook
data: /var/lib/greenlight
`)
	if err != nil {
		t.Fatal(err)
	}
	o := c.repository()
	if o.URL != "ssh://git@git.example/policies.git" || o.Ref != "main" || o.Path != "policies" || o.Interval != 5*time.Minute || o.Timeout != 30*time.Second ||
		o.Folder != "/var/lib/greenlight/policies" || o.SSHKeyFile != "/etc/greenlight/key" || o.SSHKnownHostsFile != "/etc/greenlight/known_hosts" ||
		!slices.Equal(o.SignedBy, []string{"/etc/greenlight/allowed_signers", "/etc/greenlight/keys.asc"}) {
		t.Errorf("%+v", o)
	}
	c, err = load(t, []string{"--policy-git=https://git.example/p.git", "--policy-git-username=ann", "--policy-git-password-file=p",
		"--policy-git-ca-file=ca", "--policy-git-signed-by=a,b", "--policy-git-signed-by=c", "--allow-removal"}, nil, "")
	if o := c.repository(); err != nil || o.Username != "ann" || o.PasswordFile != "p" || o.CAFile != "ca" || !o.AllowRemoval || len(o.SignedBy) != 3 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestRulesOfARepository(t *testing.T) {
	for _, c := range []struct {
		args       []string
		env        map[string]string
		file, says string
	}{
		{[]string{"--policy-git=/p.git", "--policies=$DIR"}, nil, "", "policies and policy-git are both named; name one"},
		{[]string{"--policy-git=/p.git"}, map[string]string{"GREENLIGHT_POLICIES": "policies"}, "", "policies and policy-git are both named"},
		{[]string{"--policy-git=/p.git"}, nil, "policies: policies\n", "policies and policy-git are both named"},
		{[]string{"--policy-git=https://ann:s3cret@git.example/p.git"}, nil, "", "policy-git: the repository's URL has a password in it"},
		{[]string{"--policy-git=git@git.example:p.git", "--policy-git-ssh-key=k"}, nil, "", "policy-git: ssh needs a known hosts file"},
		{[]string{"--policy-git=/p.git", "--policy-git-interval=0s"}, nil, "", "policy-git-interval = 0s; must be > 0"},
		{[]string{"--policy-git=/p.git", "--policy-git-timeout=-1s"}, nil, "", "policy-git-timeout = -1s; must be > 0"},
		{[]string{"--policies=$DIR", "--policy-git-ref=main"}, nil, "", "policy-git-ref is of no use without policy-git"},
		{[]string{"--policies=$DIR"}, nil, "policyGitHookSecretFile: x\n", "policy-git-hook-secret-file is of no use without policy-git"},
	} {
		_, err := load(t, c.args, c.env, c.file)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v: %v, want %s", c.args, err, c.says)
		}
	}
}

// The example can be used as it is, but for its names.
func TestTheExampleOfARepository(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "examples", "gitops", "greenlight.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := load(t, nil, nil, string(raw)); err != nil {
		t.Error(err)
	}
}
