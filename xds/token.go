package xds

import (
	"context"
	"errors"
	"strings"
	"time"

	"greenlight/policy"
)

// tokenEvery is how often the tokens of previews are read anew, so that a token
// that was exchanged counts soon, and a preview that was closed opens by itself.
const tokenEvery = 5 * time.Second

// token is what a policy's preview token stood for when it was last read. It is
// part of the routes and of nothing else: no log, report or view has it.
type token struct {
	value string // empty: the preview is closed
	fault string // why
}

// readToken finds the token of p's preview; the zero value if it needs none.
// Reading may take time, so the caller holds no lock.
func (s *Server) readToken(p *policy.Model) token {
	if p.Route.PreviewToken == nil {
		return token{}
	}
	value, err := s.opts.Secret(*p.Route.PreviewToken)
	if err == nil && !headerValue(value) {
		err = errors.New("it is not fit for a request header: ASCII without spaces at its ends, at most 4096 bytes")
	}
	if err != nil {
		return token{fault: err.Error()}
	}
	return token{value: value}
}

// headerValue reports whether a client can send text as a header's value.
func headerValue(text string) bool {
	return text != "" && len(text) <= 4096 && strings.TrimSpace(text) == text &&
		!strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// setToken takes what was read for m's preview, and says when that closes or
// opens it. It reports whether the routes have to be built anew.
func (s *Server) setToken(m *model, t token) bool {
	was := m.token
	m.token = t
	if t.fault != was.fault {
		s.touch(m.flags, soon)
	}
	switch {
	case t.fault != "" && t.fault != was.fault:
		s.log.Error("preview closed: its token can't be had", "model", m.name, "error", t.fault)
	case t.fault == "" && was.fault != "":
		s.log.Info("preview open again", "model", m.name)
	}
	return t.value != was.value
}

// keepTokens reads the tokens of all previews anew until ctx is done.
func (s *Server) keepTokens(ctx context.Context) {
	tick := time.NewTicker(tokenEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.rereadTokens()
		}
	}
}

// rereadTokens publishes the routes of models whose token is another one now.
// Their generation stays: it is about where users go.
func (s *Server) rereadTokens() {
	for _, p := range s.tokenPolicies() {
		t := s.readToken(p)
		s.mu.Lock()
		if m := s.models[p.Name]; m != nil && m.routing.Policy == p && s.setToken(m, t) && m.complete() {
			s.publishModel(m, p)
		}
		s.mu.Unlock()
	}
}

// tokenPolicies is the policies whose previews need a token.
func (s *Server) tokenPolicies() []*policy.Model {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*policy.Model
	for _, m := range s.models {
		if p := m.routing.Policy; p != nil && p.Route.PreviewToken != nil {
			out = append(out, p)
		}
	}
	return out
}
