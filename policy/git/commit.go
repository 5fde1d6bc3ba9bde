package git

import (
	"errors"
	"io"
	"strings"
	"unicode"

	"github.com/go-git/go-git/v6/plumbing"
	"github.com/go-git/go-git/v6/plumbing/object"

	"greenlight/policy"
)

// describe is what policies keep of a commit.
func (s *Source) describe(c *object.Commit, ref plumbing.ReferenceName, signer string) policy.Commit {
	subject, _, _ := strings.Cut(strings.TrimSpace(c.Message), "\n")
	described := policy.Commit{
		Repository: s.repository.text, Ref: orElse(s.Ref, ref.Short()), ID: c.Hash.String(),
		Author: person(c.Author), At: c.Committer.When.UTC(),
		Subject: clean(subject), SignedBy: signer,
	}
	if committer := person(c.Committer); committer != described.Author {
		described.Committer = committer
	}
	return described
}

func person(s object.Signature) string { return clean(s.Name + " <" + s.Email + ">") }

// maxText is the longest author or subject that is kept.
const maxText = 200

// clean makes a text of a stranger fit to be shown on one line.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if runes := []rune(text); len(runes) > maxText {
		text = string(runes[:maxText]) + "…"
	}
	return strings.TrimSpace(text)
}

// raw is a commit as git has it.
func raw(o *objects, c *object.Commit) ([]byte, error) {
	encoded, err := o.EncodedObject(plumbing.CommitObject, c.Hash)
	if err != nil {
		return nil, err
	}
	reader, err := encoded.Reader()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return io.ReadAll(reader)
}

// parse is the other way; it fails if the content is not that of the commit.
func parse(id string, raw []byte) (*object.Commit, error) {
	want := plumbing.NewHash(id)
	encoded := plumbing.NewMemoryObject(plumbing.FromObjectFormat(format(want)))
	encoded.SetType(plumbing.CommitObject)
	if _, err := encoded.Write(raw); err != nil {
		return nil, err
	}
	if encoded.Hash() != want {
		return nil, errors.New("its record is of another commit")
	}
	return object.DecodeCommit(nil, encoded)
}
