package git

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"

	"greenlight/policy"
)

// signSSH makes git sign with a key of ssh-keygen.
func (a *author) signSSH(key string) {
	a.git("config", "gpg.format", "ssh")
	a.git("config", "user.signingkey", key)
}

// pgpKey is an OpenPGP key and its armored public half.
func pgpKey(t *testing.T, name string) (*openpgp.Entity, string) {
	t.Helper()
	key, err := openpgp.NewEntity(name, "", strings.ToLower(name)+"@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := key.Serialize(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return key, b.String() + "\n"
}

// pushPGP commits and signs as gpg would.
func (a *author) pushPGP(subject string, key *openpgp.Entity) string {
	a.t.Helper()
	a.commit(subject)
	content := a.git("cat-file", "commit", "HEAD") + "\n"
	var b bytes.Buffer
	if err := openpgp.ArmoredDetachSign(&b, key, strings.NewReader(content), nil); err != nil {
		a.t.Fatal(err)
	}
	return a.force(withSignature(content, b.String()))
}

// withSignature puts a signature into a commit.
func withSignature(content, signature string) string {
	head, message, _ := strings.Cut(content, "\n\n")
	return head + "\ngpgsig " + strings.ReplaceAll(strings.TrimSpace(signature), "\n", "\n ") + "\n\n" + message
}

// force makes a commit as it is written main.
func (a *author) force(content string) string {
	a.git("push", "--quiet", "--force", "origin", "HEAD:refs/heads/files") // what the commit holds
	id := a.object("commit", []byte(content))
	a.run(a.bare, "update-ref", "refs/heads/main", id)
	a.git("fetch", "--quiet", "origin", "main")
	a.git("reset", "--quiet", "--hard", id)
	return id
}

func TestSignedCommits(t *testing.T) {
	a := newAuthor(t)
	mine, other := newKey(t), newKey(t)
	pgp, public := pgpKey(t, "Ann")
	strange, _ := pgpKey(t, "Eve")
	allowed, ring := filepath.Join(t.TempDir(), "allowed_signers"), filepath.Join(t.TempDir(), "keys.asc")
	_, second := pgpKey(t, "Bob")
	writeFile(t, ring, second+public)
	writeFile(t, allowed, "# our people\n\nann@example.org,ann namespaces=\"git,file\" "+text(t, mine+".pub")+"\n")
	o := a.options()
	o.SignedBy = []string{allowed, ring}
	w := watchIt(t, o, policy.Set{})

	a.write("a.yaml", model("a", "unsigned.example"))
	id := a.push("Unsigned")
	if set := w.trouble("commit "+id[:10]+" is not taken: it is not signed", "sign it with an allowed key"); set.Models["a"].Model != nil {
		t.Errorf("%+v", set)
	}
	w.silent()
	a.signSSH(mine)
	a.write("a.yaml", model("a", "ssh.example"))
	first := a.push("By SSH", "-S")
	if set := w.in(first); !strings.HasPrefix(set.Origin.Commit.SignedBy, "SSH SHA256:") || !strings.HasSuffix(set.Origin.Commit.SignedBy, " ann@example.org,ann") {
		t.Errorf("signed by %q", set.Origin.Commit.SignedBy)
	}
	a.write("a.yaml", model("a", "pgp.example"))
	good := a.pushPGP("By OpenPGP", pgp)
	if set := w.in(good); !strings.HasPrefix(set.Origin.Commit.SignedBy, "OpenPGP ") || !strings.HasSuffix(set.Origin.Commit.SignedBy, "Ann <ann@example.org>") {
		t.Errorf("signed by %q", set.Origin.Commit.SignedBy)
	}

	a.signSSH(other)
	a.write("a.yaml", model("a", "other.example"))
	bad := a.push("By another key", "-S")
	w.trouble("commit "+bad[:10], "no allowed key is SHA256:")
	stranger := a.pushPGP("By another OpenPGP key", strange)
	w.trouble("commit "+stranger[:10], "its OpenPGP signature does not count")

	// The signature of another commit, two signatures, and one of no known kind.
	content := a.git("cat-file", "commit", first)
	signature := content[strings.Index(content, "-----BEGIN SSH"):strings.Index(content, "-----END SSH SIGNATURE-----")] + "-----END SSH SIGNATURE-----"
	signature = strings.ReplaceAll(signature, "\n ", "\n")
	a.commit("Forged")
	plain := a.git("cat-file", "commit", "HEAD") + "\n"
	forged := a.force(withSignature(plain, signature))
	w.trouble("commit "+forged[:10], "its SSH signature is wrong")
	twice := a.force(withSignature(plain, signature+"\n"+signature))
	w.trouble("commit "+twice[:10], "more than one signature")
	x509 := a.force(withSignature(plain, "-----BEGIN SIGNED MESSAGE-----\nAAAA\n-----END SIGNED MESSAGE-----"))
	w.trouble("commit "+x509[:10], "neither of OpenPGP nor of SSH")
	if set := w.trouble("commit " + a.push("Unsigned again")[:10]); set.Origin.Commit.ID != good || w.host(set, "a") != "pgp.example" {
		t.Errorf("%+v", set)
	}

	// A key that is allowed later makes the commit count without another push.
	a.signSSH(other)
	a.write("a.yaml", model("a", "other.example"))
	third := a.push("By another key", "-S")
	w.trouble("commit " + third[:10])
	writeFile(t, allowed, "* "+text(t, other+".pub")+"\n")
	w.in(third)

	// Keys that can't be read are not fewer keys.
	writeFile(t, allowed, "ann@example.org nonsense\n")
	w.trouble("allowed_signers: line 1: it holds no public key")
	writeFile(t, allowed, "# nobody\n")
	writeFile(t, ring, "")
	w.trouble("there is no key in it")
	w.stop()

	// After a restart a commit whose key is not allowed any more does not come from disk.
	writeFile(t, allowed, "ann@example.org "+text(t, mine+".pub")+"\n")
	w = watchIt(t, o, policy.Set{})
	if set := <-w.sets; set.Origin.Commit != nil || !strings.Contains(set.Origin.Problem, "no allowed key") {
		t.Errorf("first set: %+v", set.Origin)
	}
}

func TestAllowedSigners(t *testing.T) {
	key := text(t, newKey(t)+".pub")
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		line   string
		counts bool // at that time, for commits
		fault  string
	}{
		{"ann " + key, true, ""},
		{"ann\t" + key, true, ""},
		{`"ann smith" ` + key, true, ""},
		{`ann namespaces="git" ` + key, true, ""},
		{`ann namespaces="file" ` + key, false, ""},
		{`ann namespaces="file,g*" ` + key, true, ""},
		{`ann namespaces="!git,*" ` + key, false, ""},
		{`ann valid-after="20261101Z" ` + key, true, ""},
		{`ann valid-after="202611011201Z" ` + key, false, ""},
		{`ann valid-before="20261101120001Z" ` + key, true, ""},
		{`ann valid-before="20261101120000Z" ` + key, false, ""},
		{`ann valid-before="tomorrow" ` + key, false, "is no time"},
		{`ann cert-authority ` + key, false, "cert-authority"},
		{`ann no-touch ` + key, false, "is not known"},
		{"ann", false, "must be PRINCIPALS"},
		{`"ann ` + key, false, "must be PRINCIPALS"},
		{key, false, "holds no public key"},
	} {
		signers, err := allowedSigners("\n# a comment\n" + c.line + "\n")
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) || !strings.Contains(err.Error(), "line 3") {
				t.Errorf("%s: %v, want %s", c.line, err, c.fault)
			}
			continue
		}
		if err != nil || (len(signers) == 1 && signers[0].at(at)) != c.counts {
			t.Errorf("%s: %v, %v", c.line, signers, err)
		}
	}
}
