package git

import (
	"strings"
	"testing"
	"time"
)

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		o    Options
		says string // empty: good
	}{
		{Options{URL: "/srv/policies.git"}, ""},
		{Options{URL: "policies.git"}, ""},
		{Options{URL: "file:///srv/policies.git", Ref: "v1.2"}, ""},
		{Options{URL: "https://git.example/policies.git", Ref: "refs/heads/main", TokenFile: "t", CAFile: "c"}, ""},
		{Options{URL: "https://git.example/policies.git", Username: "ann", PasswordFile: "p"}, ""},
		{Options{URL: "git@git.example:policies.git", SSHKeyFile: "k", SSHKnownHostsFile: "h"}, ""},
		{Options{URL: "ssh://git@git.example:2222/policies.git", SSHKeyFile: "k", SSHKnownHostsFile: "h"}, ""},
		{Options{}, "URL is empty"},
		{Options{URL: "https://ann:s3cret@git.example/policies.git"}, "has a password in it"},
		{Options{URL: "ssh://git:s3cret@git.example/p.git", SSHKeyFile: "k", SSHKnownHostsFile: "h"}, "has a password in it"},
		{Options{URL: "git:s3cret@git.example:p.git", SSHKeyFile: "k", SSHKnownHostsFile: "h"}, "has a password in it"},
		{Options{URL: "https://s3cret@git.example/policies.git"}, "a user or a token in it"},
		{Options{URL: "https://git.example/policies.git?private_token=s3cret"}, "may hold a secret"},
		{Options{URL: "https://git.example:port/s3cret@policies.git"}, "can't be understood"},
		{Options{URL: "https:///policies.git"}, "names no host"},
		{Options{URL: "git://git.example/policies.git"}, "can't be fetched by git://"},
		{Options{URL: "git@git.example:policies.git", SSHKeyFile: "k"}, "needs a known hosts file"},
		{Options{URL: "git@git.example:policies.git", SSHKnownHostsFile: "h"}, "needs a key file"},
		{Options{URL: "git@git.example:p.git", SSHKeyFile: "k", SSHKnownHostsFile: "h", TokenFile: "t"}, "a token is of no use for git@git.example:p.git"},
		{Options{URL: "https://git.example/p.git", SSHKeyFile: "k"}, "an ssh key is of no use"},
		{Options{URL: "http://git.example/p.git", CAFile: "c"}, "a CA file is of no use"},
		{Options{URL: "https://git.example/p.git", PasswordFile: "p"}, "a password needs a username"},
		{Options{URL: "https://git.example/p.git", Username: "u"}, "a username needs a password"},
		{Options{URL: "https://git.example/p.git", Username: "u", PasswordFile: "p", TokenFile: "t"}, "name one"},
		{Options{URL: "/p.git", Ref: "a..b"}, "is no name"},
		{Options{URL: "/p.git", Interval: -time.Second}, "must be > 0"},
	} {
		c.o.Folder = "checkouts"
		err := c.o.Check()
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.says)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error repeats the secret: %v", err)
		}
	}
	o := Options{URL: "/p.git", Path: `/../a\b/../c/`, Folder: "x"}
	s, err := New(o)
	if err != nil || s.Path != "a/c" || s.Interval != time.Minute || s.Timeout != 30*time.Second || s.MaxBytes != 256<<20 || s.MaxFiles != 100_000 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := New(Options{URL: "/p.git"}); err == nil {
		t.Error("no folder is needed")
	}
}
