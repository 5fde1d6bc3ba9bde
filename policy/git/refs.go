package git

import (
	"fmt"
	"strings"

	"github.com/go-git/go-git/v6/plumbing"
)

// tip is a ref and what it points at: a commit, or an annotated tag.
type tip struct {
	name plumbing.ReferenceName
	hash plumbing.Hash
}

// candidates are the whole names that ref may stand for, the likelier ones first.
func candidates(ref string) []plumbing.ReferenceName {
	if strings.HasPrefix(ref, "refs/") {
		return []plumbing.ReferenceName{plumbing.ReferenceName(ref)}
	}
	return []plumbing.ReferenceName{plumbing.NewBranchReferenceName(ref), plumbing.NewTagReferenceName(ref)}
}

// prefixes are what a server is asked for.
func prefixes(ref string) []string {
	if ref == "" {
		return []string{"HEAD", "refs/heads/"}
	}
	var asked []string
	for _, name := range candidates(ref) {
		asked = append(asked, name.String())
	}
	return asked
}

// pick finds ref among the server's.
func pick(refs []*plumbing.Reference, ref string) (tip, error) {
	found := map[plumbing.ReferenceName]*plumbing.Reference{}
	for _, r := range refs {
		found[r.Name()] = r
	}
	names := []plumbing.ReferenceName{plumbing.HEAD}
	if ref != "" {
		names = candidates(ref)
	}
	for _, name := range names {
		r := found[name]
		if r != nil && r.Type() == plumbing.SymbolicReference {
			name = r.Target()
			r = found[name]
		}
		if r != nil && r.Type() == plumbing.HashReference && !r.Hash().IsZero() {
			return tip{name: name, hash: r.Hash()}, nil
		}
	}
	if ref == "" {
		return tip{}, refusal("the repository's HEAD points at no branch; name the ref")
	}
	return tip{}, noSuch(ref)
}

func noSuch(ref string) error {
	return refusal(fmt.Sprintf("there is no branch and no tag %q in the repository; push it, or name another ref", ref))
}
