// Package git takes policies from a git repository. A commit is one change: it is
// fetched, checked out beside the one in force, read, and taken only if it is good as
// a whole. Whatever goes wrong on the way, the last good commit stands.
package git

import (
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/go-git/go-git/v6/plumbing"
)

// Source is one branch or tag of a repository.
type Source struct {
	Options
	repository repository
	disk       checkouts
	wake       chan struct{}

	ref     atomic.Pointer[plumbing.ReferenceName] // what Ref was last found to be
	fetched atomic.Int64                           // Unix nanoseconds
}

// New checks options and makes a source of them. It touches neither disk nor network.
func New(o Options) (*Source, error) {
	repository, err := o.complete()
	if err != nil {
		return nil, err
	}
	folder, err := filepath.Abs(o.Folder)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = o.Log.With("repository", repository.text)
	return &Source{Options: o, repository: repository, disk: checkouts{folder}, wake: make(chan struct{}, 1)}, nil
}

// Trigger has the repository asked now. It never blocks, and many calls before the
// next fetch are one.
func (s *Source) Trigger() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Fetched is when a fetch last went well, also one that brought nothing new; zero if
// none has yet.
func (s *Source) Fetched() time.Time {
	if at := s.fetched.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// follows reports whether a push to ref may concern the source.
func (s *Source) follows(ref string) bool {
	if found := s.ref.Load(); found != nil {
		return found.String() == ref
	}
	name := plumbing.ReferenceName(ref)
	return s.Ref == "" || s.Ref == ref || s.Ref == name.Short()
}
