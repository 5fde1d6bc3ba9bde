package git

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// gitNamespace is what SSH signatures of commits are made for.
const gitNamespace = "git"

// signer is a line of an allowed_signers file, as ssh-keygen(1) describes them.
type signer struct {
	principals    string
	key           ssh.PublicKey
	after, before time.Time // zero: no limit
}

// at reports whether the key was valid at the time of a commit, as git asks it.
func (s signer) at(t time.Time) bool {
	return !t.Before(s.after) && (s.before.IsZero() || t.Before(s.before))
}

// allowedSigners reads the lines of a file. One that can't be read is an error: to
// leave it out would change who may sign.
func allowedSigners(content string) ([]signer, error) {
	var signers []signer
	number := 0
	for line := range strings.Lines(content) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		s, ours, err := allowedSigner(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if ours {
			signers = append(signers, s)
		}
	}
	return signers, nil
}

// allowedSigner reads one line; ours is false if its key signs other things than commits.
func allowedSigner(line string) (s signer, ours bool, err error) {
	principals, rest, ok := cutPrincipals(line)
	if !ok {
		return s, false, errors.New("it must be PRINCIPALS [OPTIONS] KEYTYPE KEY")
	}
	key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(rest))
	if err != nil {
		return s, false, errors.New("it holds no public key; it must be PRINCIPALS [OPTIONS] KEYTYPE KEY")
	}
	s, ours = signer{principals: clean(principals), key: key}, true
	for _, option := range options {
		name, value, _ := strings.Cut(option, "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "namespaces":
			ours = matches(value, gitNamespace)
		case "valid-after":
			s.after, err = signerTime(value)
		case "valid-before":
			s.before, err = signerTime(value)
		case "cert-authority":
			err = errors.New("cert-authority is not understood here; list the keys themselves")
		default:
			err = fmt.Errorf("option %q is not known", name)
		}
		if err != nil {
			return s, false, err
		}
	}
	return s, ours, nil
}

// cutPrincipals cuts off the first word, which may stand in quotes.
func cutPrincipals(line string) (principals, rest string, ok bool) {
	if quoted, found := strings.CutPrefix(line, `"`); found {
		principals, rest, ok = strings.Cut(quoted, `"`)
		return principals, strings.TrimSpace(rest), ok
	}
	i := strings.IndexAny(line, " \t")
	if i < 0 {
		return "", "", false
	}
	return line[:i], strings.TrimSpace(line[i:]), true
}

// matches goes by a list of patterns, of which those with a ! exclude.
func matches(patterns, name string) bool {
	found := false
	for pattern := range strings.SplitSeq(patterns, ",") {
		pattern, not := strings.CutPrefix(pattern, "!")
		if hit, err := path.Match(pattern, name); err != nil || !hit {
			continue
		}
		if not {
			return false
		}
		found = true
	}
	return found
}

// signerTime reads YYYYMMDD[HHMM[SS]][Z], which without the Z is local time.
func signerTime(text string) (time.Time, error) {
	zone := time.Local
	digits, utc := strings.CutSuffix(text, "Z")
	if utc {
		zone = time.UTC
	}
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if t, err := time.ParseInLocation(layout, digits, zone); err == nil && len(digits) == len(layout) {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; write YYYYMMDD[HHMM[SS]][Z]", text)
}
