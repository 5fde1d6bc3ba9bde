package git

import (
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strings"
	"time"

	"github.com/go-git/go-git/v6/plumbing"
)

// Defaults of Options.
const (
	DefaultInterval = time.Minute
	DefaultTimeout  = 30 * time.Second

	defaultMaxBytes = 256 << 20
	defaultMaxFiles = 100_000
	defaultMaxFetch = 1 << 30
)

// Options say where policies come from. Secrets are named by the files that hold
// them, which are read again before every fetch.
type Options struct {
	// URL is https://, http://, ssh://, user@host:path, file:// or a path. It holds no
	// secret.
	URL string
	// Ref is a branch, a tag, or a whole name such as refs/heads/main; empty: the
	// branch that the repository's HEAD points at.
	Ref string
	// Path is the folder of the repository that holds the policies; empty: all of it.
	Path string
	// Interval is the time between two looks, Timeout the longest time of one.
	Interval, Timeout time.Duration
	// Folder is where checkouts lie on this machine. Nothing else may.
	Folder string
	// AllowRemoval lets a vanished policy file take its policy out of force.
	AllowRemoval bool

	// Username and one of PasswordFile and TokenFile are for http and https.
	Username, PasswordFile, TokenFile string
	// CAFile holds the only authorities that are trusted; empty: the system's.
	CAFile string
	// SSHKeyFile and SSHKnownHostsFile are for ssh, and needed there.
	SSHKeyFile, SSHKnownHostsFile string
	// SignedBy are files of keys, each an armored OpenPGP keyring or an allowed_signers
	// file of SSH. If there are any, only a commit signed by one of the keys counts.
	SignedBy []string

	// MaxBytes and MaxFiles bound a checkout, MaxFetch what a server may send.
	MaxBytes, MaxFetch int64
	MaxFiles           int

	Log *slog.Logger
}

// Check tells everything that is wrong with the options.
func (o Options) Check() error {
	_, err := o.complete()
	return err
}

// complete puts in the defaults and names everything that is wrong.
func (o *Options) complete() (repository, error) {
	var wrong []error
	repository, err := parseURL(o.URL)
	if err != nil {
		wrong = append(wrong, err)
	} else {
		wrong = append(wrong, o.credentials(repository)...)
	}
	if strings.HasPrefix(o.Ref, "refs/") {
		err = plumbing.ReferenceName(o.Ref).Validate()
	} else if o.Ref != "" {
		err = plumbing.NewBranchReferenceName(o.Ref).Validate()
	}
	if o.Ref != "" && err != nil && repository.url != nil {
		wrong = append(wrong, fmt.Errorf("ref = %q is no name of a branch or a tag", o.Ref))
	}
	o.Path = strings.Trim(path.Clean("/"+strings.ReplaceAll(o.Path, `\`, "/")), "/")
	if o.Folder == "" {
		wrong = append(wrong, errors.New("folder is empty; name the folder for checkouts"))
	}
	preset(&o.Interval, DefaultInterval)
	preset(&o.Timeout, DefaultTimeout)
	preset(&o.MaxBytes, defaultMaxBytes)
	preset(&o.MaxFetch, defaultMaxFetch)
	preset(&o.MaxFiles, defaultMaxFiles)
	if o.Interval < 0 || o.Timeout < 0 {
		wrong = append(wrong, errors.New("interval and timeout must be > 0"))
	}
	return repository, errors.Join(wrong...)
}

// credentials checks that those are there that the kind of URL needs, and no others.
func (o *Options) credentials(r repository) []error {
	var wrong []error
	refuse := func(written string, says string) {
		if written != "" {
			wrong = append(wrong, fmt.Errorf("%s for %s", says, r.text))
		}
	}
	if r.url.Scheme == "ssh" {
		if o.SSHKnownHostsFile == "" {
			wrong = append(wrong, errors.New("ssh needs a known hosts file: without the server's key anybody could answer for it"))
		}
		if o.SSHKeyFile == "" {
			wrong = append(wrong, errors.New("ssh needs a key file"))
		}
	} else {
		refuse(o.SSHKeyFile, "an ssh key is of no use")
		refuse(o.SSHKnownHostsFile, "known hosts are of no use")
	}
	if !r.http() {
		refuse(o.Username, "a username is of no use")
		refuse(o.PasswordFile, "a password is of no use")
		refuse(o.TokenFile, "a token is of no use")
	}
	if r.url.Scheme != "https" {
		refuse(o.CAFile, "a CA file is of no use")
	}
	if o.PasswordFile != "" && o.TokenFile != "" {
		wrong = append(wrong, errors.New("a password and a token are both named; name one"))
	}
	if o.PasswordFile != "" && o.Username == "" {
		wrong = append(wrong, errors.New("a password needs a username"))
	}
	if o.Username != "" && o.PasswordFile == "" && o.TokenFile == "" {
		wrong = append(wrong, errors.New("a username needs a password or a token"))
	}
	return wrong
}

func preset[T comparable](value *T, standard T) {
	var zero T
	if *value == zero {
		*value = standard
	}
}
