package rollout

import (
	"slices"
	"strings"

	"greenlight/policy"
)

// Writers are the persons behind a commit. Its author is whom it names, so who put it
// into the repository and whose key signed it count as well.
type Writers struct {
	Author    string `json:"author,omitempty"`
	Committer string `json:"committer,omitempty"` // empty: the author
	SignedBy  string `json:"signedBy,omitempty"`  // the key, with whose it is
}

// writersOf are nobody without a commit.
func writersOf(c *policy.Commit) Writers {
	if c == nil {
		return Writers{}
	}
	return Writers{c.Author, c.Committer, c.SignedBy}
}

// isWriter reports whether a person may be one of them.
func (w Writers) isWriter(who string) bool {
	// As in "OpenPGP KEY Ann <ann@example.org>" and "SSH KEY ann@example.org,bob".
	signers := strings.FieldsFunc(w.SignedBy, func(r rune) bool { return strings.ContainsRune(" ,<>", r) })
	return wrote(who, w.Author) || wrote(who, w.Committer) ||
		slices.ContainsFunc(signers, func(word string) bool { return wrote(who, "<"+word+">") })
}

// wrote reports whether a person may be the author of a commit: by name, by address,
// or by either part of ID+NAME@users.noreply.github.com and the like.
func wrote(who, author string) bool {
	name, rest, _ := strings.Cut(author, "<")
	email := strings.TrimSuffix(strings.TrimSpace(rest), ">")
	local, _, _ := strings.Cut(email, "@")
	names := append(strings.Split(local, "+"), strings.TrimSpace(name), email, local)
	return slices.ContainsFunc(names, func(known string) bool { return known != "" && strings.EqualFold(who, known) })
}
