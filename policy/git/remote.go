package git

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-billy/v6/osfs"
	"github.com/go-git/go-git/v6/plumbing"
	"github.com/go-git/go-git/v6/plumbing/cache"
	"github.com/go-git/go-git/v6/plumbing/format/config"
	"github.com/go-git/go-git/v6/plumbing/object"
	"github.com/go-git/go-git/v6/plumbing/protocol"
	"github.com/go-git/go-git/v6/plumbing/transport"
	"github.com/go-git/go-git/v6/storage/filesystem"
)

// conversation is one connection to the repository.
type conversation struct {
	transport.Session
	release func()
}

func (s *Source) connect(ctx context.Context) (*conversation, error) {
	client, release, err := s.client(ctx)
	if err != nil {
		return nil, err
	}
	u := *s.repository.url
	session, err := client.Handshake(ctx, &transport.Request{URL: &u, Command: transport.UploadPackService, Protocol: protocol.V2})
	if err != nil {
		release()
		return nil, err
	}
	return &conversation{session, release}, nil
}

// end hangs up. What the other side thinks of that is of no interest.
func (c *conversation) end() {
	_ = c.Close()
	c.release()
}

// tip asks where the ref points now.
func (s *Source) tip(ctx context.Context, c *conversation) (tip, error) {
	refs, err := c.GetRemoteRefs(ctx, &transport.GetRemoteRefsOptions{RefPrefixes: prefixes(s.Ref)})
	switch {
	case errors.Is(err, transport.ErrEmptyRemoteRepository) && s.Ref != "": // of what was asked for
		return tip{}, noSuch(s.Ref)
	case errors.Is(err, transport.ErrEmptyRemoteRepository):
		return tip{}, refusal("the repository has no commit yet; push one")
	case err != nil:
		return tip{}, err
	}
	found, err := pick(refs.References, s.Ref)
	if err != nil {
		return tip{}, err
	}
	s.ref.Store(&found.name)
	return found, nil
}

// objects is what was fetched of one commit, in a folder of its own.
type objects struct {
	*filesystem.Storage
	folder string
}

// largeObject is the size from which a file is streamed instead of kept in memory.
const largeObject = 1 << 20

// fetch brings the commit that tip points at, and nothing of its history.
func (s *Source) fetch(ctx context.Context, c *conversation, tip tip) (*objects, error) {
	folder, err := s.disk.scratch("fetch")
	if err != nil {
		return nil, err
	}
	store := filesystem.NewStorageWithOptions(osfs.New(folder), cache.NewObjectLRU(8*cache.MiByte),
		filesystem.Options{LargeObjectThreshold: largeObject, ExclusiveAccess: true})
	o := &objects{store, folder}
	if err := errors.Join(store.Init(), store.SetObjectFormat(format(tip.hash))); err != nil {
		o.close()
		return nil, err
	}
	if err := c.Fetch(ctx, store, &transport.FetchRequest{Wants: []plumbing.Hash{tip.hash}, Depth: 1}); err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

func (o *objects) close() {
	_ = o.Close()
	discard(o.folder)
}

// format is how the repository of a hash makes hashes.
func format(hash plumbing.Hash) config.ObjectFormat {
	if hash.Size() == config.SHA256Size {
		return config.SHA256
	}
	return config.SHA1
}

// maxTags is how many tags may point at each other before there is a commit.
const maxTags = 8

// commit is what tip points at, through annotated tags if need be.
func (o *objects) commit(tip tip) (*object.Commit, error) {
	hash := tip.hash
	for range maxTags {
		found, err := o.EncodedObject(plumbing.AnyObject, hash)
		if err != nil {
			return nil, fmt.Errorf("object %s was not sent: %w", hash, err)
		}
		switch found.Type() {
		case plumbing.CommitObject:
			return object.DecodeCommit(o, found)
		case plumbing.TagObject:
			tag, err := object.DecodeTag(o, found)
			if err != nil {
				return nil, err
			}
			hash = tag.Target
		default:
			return nil, refusal(fmt.Sprintf("%s points at a %s and not at a commit; name another ref", tip.name, found.Type()))
		}
	}
	return nil, refusal(fmt.Sprintf("%s is a tag of a tag of a tag; name another ref", tip.name))
}
