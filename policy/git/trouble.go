package git

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/go-git/go-git/v6/plumbing/transport"
	"golang.org/x/crypto/ssh/knownhosts"

	"greenlight/policy"
)

// refusal is something that the repository says and that does not do: what, and what
// to do about it. To ask again soon would not help.
type refusal string

func (r refusal) Error() string { return string(r) }

const stands = "; the last good policies stand"

// timeout is a fetch that took longer than it may.
type timeout time.Duration

func (t timeout) Error() string {
	return fmt.Sprintf("no whole answer within %s", time.Duration(t))
}

// trouble says why a look failed and what to do. It says the same of the same failure
// every time: no addresses and ports of this side.
func (s *Source) trouble(err error) string {
	if refused, ok := errors.AsType[refusal](err); ok {
		return fmt.Sprintf("%s: %s%s", s.repository.text, refused, stands)
	}
	what := ownAddress.ReplaceAllString(clean(err.Error()), "$1")
	var failed *net.OpError
	var errno syscall.Errno
	if errors.As(err, &failed) && errors.As(failed.Err, &errno) { // whether it was dialing, writing or reading
		what = errno.Error()
	}
	return fmt.Sprintf("%s can't be fetched: %s; %s%s", s.repository.text, what, s.advice(err), stands)
}

var ownAddress = regexp.MustCompile(`\S+:\d+->(\S+:\d+)`)

func (s *Source) advice(err error) string {
	var host *knownhosts.KeyError
	var unknown x509.UnknownAuthorityError
	var path *fs.PathError
	says := err.Error()
	switch {
	case errors.Is(err, transport.ErrAuthenticationRequired), errors.Is(err, transport.ErrAuthorizationFailed),
		strings.Contains(says, "unable to authenticate"):
		return "look at the credentials: they must be allowed to read the repository"
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return "look at the URL, and whether the credentials may read the repository"
	case errors.Is(err, transport.ErrShallowNotSupported):
		return "use a server that can send one commit without its history"
	case errors.As(err, &host):
		return fmt.Sprintf("compare the server's key with known hosts %s; somebody else may be answering", s.SSHKnownHostsFile)
	case errors.As(err, &unknown):
		return "name the authority that signed the server's certificate as the CA file"
	case strings.Contains(says, errTooMuch.Error()):
		return fmt.Sprintf("a commit of more than %d MiB is not fetched; keep policies in a repository of their own", s.MaxFetch>>20)
	case errors.As(err, &path):
		return "look at the files of this machine"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "look at the server: it hung up"
	}
	return "look whether the server can be reached from here"
}

// notTaken says of which commit a refusal is.
func notTaken(c policy.Commit, err error) error {
	if refused, ok := errors.AsType[refusal](err); ok {
		return refusal(fmt.Sprintf("commit %s is not taken: %s", c.Short(), refused))
	}
	return err
}
