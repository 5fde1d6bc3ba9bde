package serve

import (
	"context"
	"net/http"

	"greenlight/policy"
	"greenlight/policy/git"
)

// policySource is where policies come from.
type policySource interface {
	// Watch emits what is in force until ctx is done; see policy.Folder.Watch.
	Watch(ctx context.Context, prev policy.Set, emit func(policy.Set)) error
}

// policySource makes the one that the configuration names; repository is nil for a folder.
func (s *server) policySource() (source policySource, repository *git.Source, err error) {
	if s.config.PolicyGit == "" {
		return policy.NewFolder(s.config.Policies, s.config.AllowRemoval, s.log), nil, nil
	}
	o := s.config.repository()
	o.Log = s.log
	repository, err = git.New(o)
	return repository, repository, err
}

// hookPath is where push hooks are sent.
const hookPath = "/hooks/git"

// withHooks has the pages take push hooks, too.
func withHooks(pages, hooks http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(hookPath, hooks)
	mux.Handle("/", pages)
	return mux
}
