package git

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v6/plumbing/transport"
)

// repository is where the commits come from.
type repository struct {
	text string // as it was written; it holds no secret
	url  *url.URL
}

func (r repository) http() bool { return r.url.Scheme == "https" || r.url.Scheme == "http" }

// parseURL refuses whatever may hold a secret, and does not repeat it: the URL is
// logged, shown and stored.
func parseURL(text string) (repository, error) {
	if text == "" {
		return repository{}, errors.New("the repository's URL is empty")
	}
	u, err := transport.ParseURL(text)
	if err != nil {
		return repository{}, errors.New("the repository's URL can't be understood; write https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH, or a path")
	}
	scp := !strings.Contains(text, "://") && u.Scheme == "ssh"
	_, password := u.User.Password()
	switch {
	case password, scp && strings.Contains(u.Path, "@"):
		return repository{}, errors.New("the repository's URL has a password in it; name a file that holds it instead")
	case u.Scheme != "file" && (u.RawQuery != "" || u.Fragment != ""):
		return repository{}, errors.New("the repository's URL has ? or # in it, which may hold a secret; leave that out")
	case (u.Scheme == "http" || u.Scheme == "https") && u.User != nil:
		return repository{}, errors.New("the repository's URL has a user or a token in it; name a file that holds the token instead")
	case (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "ssh") && u.Hostname() == "":
		return repository{}, errors.New("the repository's URL names no host")
	}
	switch u.Scheme {
	case "http", "https", "ssh":
	case "file":
		if u.Path, err = filepath.Abs(u.Path); err != nil {
			return repository{}, err
		}
	default:
		return repository{}, fmt.Errorf("a repository can't be fetched by %s://; use https or ssh", u.Scheme)
	}
	return repository{text: text, url: u}, nil
}
