package git

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"greenlight/policy"
)

// newKey has ssh-keygen make a key; the public one is beside it.
func newKey(t *testing.T, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	args = append([]string{"-q", "-t", "ed25519", "-N", "", "-C", "ann@example.org", "-f", file}, args...)
	if out, err := exec.Command("ssh-keygen", args...).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	return file
}

func text(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(content))
}

// knownHost is a known_hosts file with one line.
func knownHost(t *testing.T, address, public string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "known_hosts")
	writeFile(t, file, fmt.Sprintf("[%s]:%s %s\n", host, port, text(t, public)))
	return file
}

// serveSSH is an ssh server that lets one key run git-upload-pack.
func serveSSH(t *testing.T, hostKey, allowed string) (address string) {
	t.Helper()
	signer, err := ssh.ParsePrivateKey([]byte(text(t, hostKey)))
	if err != nil {
		t.Fatal(err)
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(text(t, allowed)))
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if c.User() != "git" || string(key.Marshal()) != string(public.Marshal()) {
			return nil, errors.New("no")
		}
		return nil, nil
	}}
	config.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			all.Go(func() { serveConn(&all, conn, config) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return l.Addr().String()
}

func serveConn(all *sync.WaitGroup, conn net.Conn, config *ssh.ServerConfig) {
	defer conn.Close()
	c, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	defer c.Close()
	all.Go(func() { ssh.DiscardRequests(requests) })
	for offered := range channels {
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		all.Go(func() { serveChannel(channel, requests) })
	}
}

func serveChannel(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	env := gitEnv()
	for r := range requests {
		switch r.Type {
		case "env":
			var set struct{ Name, Value string }
			if ssh.Unmarshal(r.Payload, &set) == nil && set.Name == "GIT_PROTOCOL" {
				env = append(env, "GIT_PROTOCOL="+set.Value)
			}
			r.Reply(true, nil)
		case "exec":
			var run struct{ Command string }
			path, ours := "", ssh.Unmarshal(r.Payload, &run) == nil
			if ours {
				path, ours = strings.CutPrefix(run.Command, "git-upload-pack ")
			}
			r.Reply(ours, nil)
			if !ours {
				return
			}
			c := exec.Command("git", "upload-pack", strings.Trim(path, "'"))
			c.Env, c.Stdout, c.Stderr = env, channel, channel.Stderr()
			in, err := c.StdinPipe()
			if err != nil || c.Start() != nil {
				return
			}
			go func() {
				io.Copy(in, channel)
				in.Close()
			}()
			status := struct{ Status uint32 }{}
			if c.Wait() != nil {
				status.Status = 1
			}
			channel.SendRequest("exit-status", false, ssh.Marshal(status))
			return
		default:
			r.Reply(false, nil)
		}
	}
}

func TestOverSSH(t *testing.T) {
	a := newAuthor(t)
	a.write("a.yaml", model("a", "one.example"))
	first := a.push("One")
	host, key := newKey(t), newKey(t)
	address := serveSSH(t, host, key+".pub")
	o := a.options()
	o.URL = "ssh://git@" + address + a.bare
	o.SSHKeyFile, o.SSHKnownHostsFile = newKey(t), knownHost(t, address, newKey(t)+".pub")
	w := watchIt(t, o, policy.Set{})
	w.trouble("key mismatch", "somebody else may be answering")
	writeFile(t, o.SSHKnownHostsFile, "other.example "+text(t, host+".pub")+"\n")
	w.trouble("is not in known hosts")
	writeFile(t, o.SSHKnownHostsFile, text(t, knownHost(t, address, host+".pub"))+"\n")
	w.trouble("unable to authenticate", "look at the credentials")
	writeFile(t, o.SSHKeyFile, text(t, key)+"\n")
	w.in(first)
	w.silent()
	a.write("a.yaml", model("a", "two.example"))
	w.in(a.push("Two"))
	a.write("a.yaml", model("a", "three.example"))
	a.git("commit", "--quiet", "--all", "--amend", "-m", "Three")
	w.in(a.push("Four"))
	eventually(t, "the log says that the branch was rewritten", func() bool { return strings.Contains(w.log.String(), "was rewritten") })
	w.stop()

	o.URL = "git@127.0.0.1:" + a.bare // the port of ssh
	o.SSHKeyFile = newKey(t, "-N", "passphrase")
	watchIt(t, o, policy.Set{}).trouble("has a passphrase")
}
