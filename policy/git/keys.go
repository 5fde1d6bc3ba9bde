package git

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/go-git/go-git/v6/plumbing"
	"github.com/go-git/go-git/v6/plumbing/object"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// keys are those that may sign commits, as their files hold them now.
type keys struct {
	asked  bool // without it every commit counts
	ssh    []signer
	pgp    openpgp.EntityList
	digest string
}

const pgpBlock = "-----BEGIN PGP PUBLIC KEY BLOCK-----"

// readKeys reads all files again. One that can't be read is an error, not fewer keys.
func readKeys(files []string) (keys, error) {
	k := keys{asked: len(files) > 0}
	digest := sha256.New()
	for _, file := range files {
		content, err := read(file)
		if err != nil {
			return k, err
		}
		fmt.Fprintf(digest, "%d\n%s", len(content), content)
		if err := k.add(content); err != nil {
			return k, fmt.Errorf("keys of %s: %w", file, err)
		}
	}
	if k.asked && len(k.ssh) == 0 && len(k.pgp) == 0 {
		return k, fmt.Errorf("%s: there is no key in it", strings.Join(files, ", "))
	}
	k.digest = hex.EncodeToString(digest.Sum(nil))
	return k, nil
}

func (k *keys) add(content []byte) error {
	if !bytes.Contains(content, []byte(pgpBlock)) {
		signers, err := allowedSigners(string(content))
		k.ssh = append(k.ssh, signers...)
		return err
	}
	for _, block := range strings.Split(string(content), pgpBlock)[1:] {
		entities, err := openpgp.ReadArmoredKeyRing(strings.NewReader(pgpBlock + block))
		if err != nil {
			return err
		}
		k.pgp = append(k.pgp, entities...)
	}
	return nil
}

// check answers with the key that signed the commit, for people to read; empty if no
// key is asked for. The error is a refusal.
func (k keys) check(c *object.Commit) (string, error) {
	if !k.asked {
		return "", nil
	}
	by, err := k.signer(c)
	if err != nil {
		return "", refusal(fmt.Sprintf("commit %s is not taken: %v; sign it with an allowed key, or allow the key", c.Hash.String()[:10], err))
	}
	return by, nil
}

func (k keys) signer(c *object.Commit) (string, error) {
	if c.Signature == "" {
		return "", errors.New("it is not signed")
	}
	if strings.Count(c.Signature, "-----BEGIN ") != 1 {
		return "", errors.New("it has more than one signature, or one of an unknown kind")
	}
	payload := &plumbing.MemoryObject{}
	if err := c.EncodeWithoutSignature(payload); err != nil {
		return "", err
	}
	reader, err := payload.Reader()
	if err != nil {
		return "", err
	}
	defer reader.Close()
	signed, err := io.ReadAll(reader)
	if err != nil {
		return "", err
	}
	switch {
	case strings.HasPrefix(c.Signature, "-----BEGIN SSH SIGNATURE-----"):
		return k.bySSH(c, signed)
	case strings.HasPrefix(c.Signature, "-----BEGIN PGP "):
		return k.byPGP(c, signed)
	}
	return "", errors.New("its signature is neither of OpenPGP nor of SSH")
}

func (k keys) byPGP(c *object.Commit, signed []byte) (string, error) {
	entity, err := openpgp.CheckArmoredDetachedSignature(k.pgp, bytes.NewReader(signed), strings.NewReader(c.Signature), nil)
	if err != nil {
		return "", fmt.Errorf("its OpenPGP signature does not count: %w", err)
	}
	by := fmt.Sprintf("OpenPGP %X", entity.PrimaryKey.Fingerprint)
	if identity := entity.PrimaryIdentity(); identity != nil {
		by += " " + clean(identity.Name)
	}
	return by, nil
}

func (k keys) bySSH(c *object.Commit, signed []byte) (string, error) {
	signature, err := sshsig.Unarmor([]byte(c.Signature))
	if err != nil {
		return "", fmt.Errorf("its SSH signature can't be read: %w", err)
	}
	if signature.Signature.Format == ssh.KeyAlgoRSA { // with SHA-1, which ssh-keygen refuses, too
		return "", errors.New("its SSH signature uses SHA-1")
	}
	for _, s := range k.ssh {
		if !bytes.Equal(s.key.Marshal(), signature.PublicKey.Marshal()) || !s.at(c.Committer.When) {
			continue
		}
		if err := sshsig.Verify(bytes.NewReader(signed), signature, s.key, signature.HashAlgorithm, gitNamespace); err != nil {
			return "", fmt.Errorf("its SSH signature is wrong: %w", err)
		}
		return fmt.Sprintf("SSH %s %s", ssh.FingerprintSHA256(s.key), s.principals), nil
	}
	return "", fmt.Errorf("no allowed key is %s, or it was not valid then", ssh.FingerprintSHA256(signature.PublicKey))
}
