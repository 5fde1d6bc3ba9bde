package git

import (
	"context"
	"errors"

	"github.com/go-git/go-git/v6/plumbing"
	"github.com/go-git/go-git/v6/plumbing/object"
	"github.com/go-git/go-git/v6/plumbing/protocol/packp"
	"github.com/go-git/go-git/v6/plumbing/transport"
	"github.com/go-git/go-git/v6/storage/memory"
)

// maxHistory is how many commits back the one before is looked for.
const maxHistory = 500

// compare logs how a commit that came into force goes on from the one before. That
// only informs: whoever may push may also rewrite.
func (w *watch) compare(ctx context.Context, before, now string, tip tip) {
	log := w.Log.With("before", before, "now", now)
	switch found, err := w.leadsTo(ctx, tip, before); {
	case ctx.Err() != nil:
	case err != nil:
		log.Info("whether the branch was rewritten can't be told", "err", err)
	case !found:
		log.Warn("the branch was rewritten or set back: the commit that was in force is not in its history")
	}
}

// leadsTo reports whether a commit is in the history of a tip. Of that history only
// the commits are fetched, without what is in them.
func (s *Source) leadsTo(ctx context.Context, tip tip, id string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	c, err := s.connect(ctx)
	if err != nil {
		return false, err
	}
	defer c.end()
	store := memory.NewStorage(memory.WithObjectFormat(format(tip.hash)))
	err = c.Fetch(ctx, store, &transport.FetchRequest{
		Wants: []plumbing.Hash{tip.hash}, Depth: maxHistory, Filter: packp.FilterTreeDepth(0),
	})
	if err != nil {
		return false, err
	}
	if _, err := object.GetCommit(store, plumbing.NewHash(id)); !errors.Is(err, plumbing.ErrObjectNotFound) {
		return err == nil, err
	}
	if shallow, err := store.Shallow(); err != nil || len(shallow) > 0 {
		return false, errors.Join(err, errors.New("its history is too long"))
	}
	return false, nil
}
