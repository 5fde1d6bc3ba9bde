package git

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/go-git/go-git/v6/plumbing/client"
	"github.com/go-git/go-git/v6/plumbing/transport"
	xhttp "github.com/go-git/go-git/v6/plumbing/transport/http"
	xssh "github.com/go-git/go-git/v6/plumbing/transport/ssh"
	"github.com/go-git/go-git/v6/plumbing/transport/ssh/knownhosts"
	"golang.org/x/crypto/ssh"
)

// maxSecret is more than any key or list of keys needs.
const maxSecret = 1 << 20

// tokenUser goes with a token: GitHub, GitLab and Gitea take any name there.
const tokenUser = "x-access-token"

// client is how the repository is reached, with the credentials as they are on disk
// now. It ends with ctx; release frees what it holds.
func (s *Source) client(ctx context.Context) (c *client.Client, release func(), err error) {
	line := &line{ctx: ctx}
	line.left.Store(s.MaxFetch)
	switch {
	case s.repository.http():
		return s.overHTTP(line)
	case s.repository.url.Scheme == "ssh":
		return s.overSSH(line)
	}
	return client.New(), func() {}, nil
}

func (s *Source) overHTTP(line *line) (*client.Client, func(), error) {
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CAFile != "" {
		pem, err := read(s.CAFile)
		if err != nil {
			return nil, nil, err
		}
		trust.RootCAs = x509.NewCertPool()
		if !trust.RootCAs.AppendCertsFromPEM(pem) {
			return nil, nil, fmt.Errorf("CA file %s holds no certificate", s.CAFile)
		}
	}
	carrier := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: line.dial, TLSClientConfig: trust, ForceAttemptHTTP2: true,
	}
	options := []client.Option{client.WithHTTPClient(&http.Client{Transport: carrier})}
	auth := &xhttp.BasicAuth{Username: s.Username}
	for _, file := range []string{s.TokenFile, s.PasswordFile} {
		if file == "" {
			continue
		}
		secret, err := readSecret(file)
		if err != nil {
			return nil, nil, err
		}
		preset(&auth.Username, tokenUser)
		auth.Password = secret
		options = append(options, client.WithHTTPAuth(auth))
	}
	return client.New(options...), carrier.CloseIdleConnections, nil
}

func (s *Source) overSSH(line *line) (*client.Client, func(), error) {
	pem, err := read(s.SSHKeyFile)
	if err != nil {
		return nil, nil, err
	}
	key, err := ssh.ParsePrivateKey(pem)
	if _, locked := errors.AsType[*ssh.PassphraseMissingError](err); locked {
		return nil, nil, fmt.Errorf("ssh key %s has a passphrase, which nobody could type here; use a deploy key without one", s.SSHKeyFile)
	} else if err != nil {
		return nil, nil, fmt.Errorf("ssh key %s can't be read: %w", s.SSHKeyFile, err)
	}
	hosts, err := knownhosts.NewDB(s.SSHKnownHostsFile)
	if err != nil {
		return nil, nil, fmt.Errorf("known hosts %s can't be read: %w", s.SSHKnownHostsFile, err)
	}
	u := s.repository.url
	address := net.JoinHostPort(u.Hostname(), orElse(u.Port(), "22"))
	kinds := hosts.HostKeyAlgorithms(address)
	if len(kinds) == 0 {
		return nil, nil, fmt.Errorf("%s is not in known hosts %s; add the line that ssh-keyscan prints, once it is known to be right", address, s.SSHKnownHostsFile)
	}
	config := &ssh.ClientConfig{
		User: orElse(u.User.Username(), xssh.DefaultUsername), Auth: []ssh.AuthMethod{ssh.PublicKeys(key)},
		HostKeyAlgorithms: kinds,
		HostKeyCallback: func(_ string, remote net.Addr, key ssh.PublicKey) error {
			return hosts.HostKeyCallback()(address, remote, key)
		},
	}
	// The address is ours, whatever the ssh_config of this user says of the host.
	return client.New(client.WithTransport("ssh", xssh.NewTransport(xssh.Options{
		ClientConfig: func(context.Context, *transport.Request) (*ssh.ClientConfig, error) { return config, nil },
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return line.dial(ctx, network, address)
		},
	}))), func() {}, nil
}

// readSecret reads a file anew; a newline at its end is no part of the secret.
func readSecret(file string) (string, error) {
	content, err := read(file)
	if err != nil {
		return "", err
	}
	secret := strings.TrimRight(string(content), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("%s is empty; a secret should be in it", file)
	}
	return secret, nil
}

func read(file string) ([]byte, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	content, err := io.ReadAll(io.LimitReader(opened, maxSecret+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxSecret {
		return nil, fmt.Errorf("%s is larger than the %d bytes that such a file may have", file, maxSecret)
	}
	return content, nil
}

func orElse(text, standard string) string {
	preset(&text, standard)
	return text
}
