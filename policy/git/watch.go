package git

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-git/go-git/v6/plumbing"
	"github.com/go-git/go-git/v6/plumbing/object"

	"greenlight/policy"
)

// Watch emits what is in force until ctx is done, and returns nil then. prev is what
// was in force before the start. The first Set is the commit that was in force, from
// disk, without asking anybody; if there is none, what the first fetch makes of prev.
// Later ones are emitted only when they differ. An error means that the folder for
// checkouts can't be used.
func (s *Source) Watch(ctx context.Context, prev policy.Set, emit func(policy.Set)) error {
	if err := s.disk.prepare(); err != nil {
		return err
	}
	if s.repository.url.Scheme == "http" && (s.TokenFile != "" || s.PasswordFile != "") {
		s.Log.Warn("the credentials are sent without encryption; use https")
	}
	w := &watch{Source: s, prev: prev, set: prev, emit: emit, began: prev.Origin.Since}
	w.restore()
	pause := &backoff.ExponentialBackOff{
		InitialInterval: s.Interval, MaxInterval: slowest * s.Interval, Multiplier: 2, RandomizationFactor: jitter,
	}
	pause.Reset()
	for {
		wait := around(s.Interval)
		if reached := w.look(ctx); reached {
			pause.Reset()
		} else {
			wait = pause.NextBackOff()
		}
		w.began = time.Time{}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Looks at a repository spread out, and become rarer while it can't be reached.
const (
	jitter  = 0.1
	slowest = 5 // times the interval
)

func around(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 - jitter + 2*jitter*rand.Float64()))
}

// watch is one run of Watch; only its goroutine touches it.
type watch struct {
	*Source
	prev, set policy.Set
	emit      func(policy.Set)
	emitted   bool
	good      *policy.Reading // the commit in force
	last      verdict
	// began is when the problem began that the process before this one had; only until
	// the first look has told whether it is over.
	began time.Time
}

// verdict is what was made of what a tip points at. It stands as long as tip and keys
// are the same.
type verdict struct {
	tip     plumbing.Hash
	keys    string
	reading *policy.Reading // nil if the commit was refused before it was read
	refused string
	parents []string // of the commit
}

// look asks the repository once. It is false if the repository gave no answer.
func (w *watch) look(ctx context.Context) (reached bool) {
	err := w.round(ctx)
	if ctx.Err() != nil || err == nil {
		return true
	}
	w.tell(w.set.Troubled(w.trouble(err), time.Now()))
	_, refused := errors.AsType[refusal](err)
	return refused
}

func (w *watch) round(ctx context.Context) error {
	keys, err := readKeys(w.SignedBy)
	if err != nil {
		return err
	}
	tip, objects, err := w.news(ctx, keys)
	if err != nil {
		return err
	}
	if objects == nil {
		w.say()
		return nil
	}
	defer objects.close()
	before := w.set.Origin.Commit
	if err := w.judge(ctx, objects, tip, keys); err != nil {
		return err
	}
	if now := w.set.Origin.Commit; before != nil && before.ID != now.ID && !slices.Contains(w.last.parents, before.ID) {
		w.compare(ctx, before.ID, now.ID, tip)
	}
	return nil
}

// news fetches what the ref points at; nothing if that is what the last verdict is of.
func (w *watch) news(ctx context.Context, keys keys) (tip, *objects, error) {
	within, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	late := func(err error) error {
		if errors.Is(within.Err(), context.DeadlineExceeded) {
			return timeout(w.Timeout)
		}
		return err
	}
	c, err := w.connect(within)
	if err != nil {
		return tip{}, nil, late(err)
	}
	defer c.end()
	found, err := w.tip(within, c)
	if err != nil {
		return tip{}, nil, late(err)
	}
	var fetched *objects
	if found.hash != w.last.tip || keys.digest != w.last.keys {
		if fetched, err = w.fetch(within, c, found); err != nil {
			return tip{}, nil, late(err)
		}
	}
	w.fetched.Store(time.Now().UnixNano())
	return found, fetched, nil
}

// judge makes up its mind about a commit that was fetched. An error is of this
// machine and says nothing of the commit.
func (w *watch) judge(ctx context.Context, o *objects, tip tip, keys keys) error {
	v := verdict{tip: tip.hash, keys: keys.digest}
	var reading *policy.Reading
	found, err := o.commit(tip)
	if err == nil {
		for _, parent := range found.ParentHashes {
			v.parents = append(v.parents, parent.String())
		}
		reading, err = w.open(ctx, o, found, tip, keys)
	}
	var refused refusal
	switch {
	case errors.As(err, &refused):
		v.refused = w.trouble(err)
	case err != nil:
		return err
	default:
		v.reading = reading
	}
	w.last = v
	return w.settle()
}

// open gets the commit onto the disk, if it is one that counts, and reads it.
func (w *watch) open(ctx context.Context, o *objects, found *object.Commit, tip tip, keys keys) (*policy.Reading, error) {
	by, err := keys.check(found)
	if err != nil {
		return nil, err
	}
	commit := w.describe(found, tip.name, by)
	if kept, err := w.disk.record(commit.ID); err == nil && kept.Path == w.Path {
		return w.read(commit), nil
	}
	object, err := raw(o, found)
	if err != nil {
		return nil, err
	}
	folder, err := w.disk.scratch("checkout")
	if err != nil {
		return nil, err
	}
	submodules, err := w.write(ctx, o, found, folder)
	if err == nil {
		err = w.disk.keep(folder, record{Commit: commit, Path: w.Path, Object: object})
	}
	if err != nil {
		discard(folder)
		return nil, notTaken(commit, err)
	}
	if len(submodules) > 0 {
		w.Log.Warn("submodules are not fetched", "commit", commit.Short(), "submodules", submodules)
	}
	return w.read(commit), nil
}

// read reads a checkout under the names that it has once it is the current one.
func (w *watch) read(c policy.Commit) *policy.Reading {
	named := w.disk.at(current)
	r := policy.ReadAs(filepath.Join(w.disk.at(c.ID), w.Path), filepath.Join(named, w.Path)).Of(c, named)
	r.AllowRemoval = w.AllowRemoval
	return &r
}

// settle puts the last verdict into force. An error is of this machine.
func (w *watch) settle() error {
	if r := w.last.reading; r != nil && taken(policy.Merge(w.set, *r, time.Now()), r) {
		if err := w.disk.enforce(r.Commit.ID); err != nil {
			w.last = verdict{}
			return err
		}
		w.good = r
	}
	w.say()
	if err := w.disk.prune(); err != nil {
		w.Log.Warn("old checkouts can't be removed", "err", err)
	}
	return nil
}

// taken reports whether a set is that of the commit that was read.
func taken(set policy.Set, r *policy.Reading) bool {
	c := set.Origin.Commit
	return c != nil && c.ID == r.Commit.ID && set.Origin.Problem == ""
}

// say tells the last verdict; of one that was told before, only that nothing else is
// in the way any more.
func (w *watch) say() {
	if w.last.reading != nil {
		w.tell(policy.Merge(w.set, *w.last.reading, time.Now()))
		return
	}
	// What was wrong with an earlier commit is of no more interest.
	next := w.prev
	if w.good != nil {
		next = policy.Merge(w.set, *w.good, time.Now())
	}
	next.Origin = w.set.Origin
	w.tell(next.Troubled(w.last.refused, time.Now()))
}

// restore puts the commit into force that was when the process last ran, if it still
// is what the options ask for.
func (w *watch) restore() {
	id := w.disk.linked(current)
	if id == "" {
		return
	}
	kept, err := w.disk.record(id)
	if err != nil {
		w.Log.Warn("the commit that was in force can't be read from disk; it is fetched again", "commit", id, "err", err)
		return
	}
	keys, err := readKeys(w.SignedBy)
	if err != nil {
		w.Log.Warn("the commit that was in force can't be checked", "commit", kept.Commit.Short(), "err", err)
		return
	}
	object, err := parse(id, kept.Object)
	if err == nil {
		kept.Commit.SignedBy, err = keys.check(object)
	}
	if err != nil {
		w.Log.Warn("the commit that was in force does not count any more", "commit", kept.Commit.Short(), "err", err)
		return
	}
	if kept.Commit.Repository != w.repository.text || kept.Path != w.Path || w.Ref != "" && kept.Commit.Ref != w.Ref {
		w.Log.Info("the commit that was in force is of another source; it is not used", "commit", kept.Commit.Short(), "ref", kept.Commit.Ref)
		return
	}
	w.last = verdict{tip: object.Hash, keys: keys.digest, reading: w.read(kept.Commit)}
	if err := w.settle(); err != nil { // no link is moved here, so there is none
		w.Log.Warn("the commit that was in force can't be used", "err", err)
	}
}

// tell emits a set that says something new, and logs what that is.
func (w *watch) tell(next policy.Set) {
	if next.Origin.Problem != "" && w.set.Origin.Problem == "" && !w.began.IsZero() {
		next.Origin.Since = w.began
	}
	if w.emitted && next.Same(w.set) {
		return
	}
	for _, p := range next.Problems {
		if !slices.Contains(w.set.Problems, p) {
			w.Log.Warn("policy problem", "problem", p.String())
		}
	}
	for _, p := range next.Warnings {
		if !slices.Contains(w.set.Warnings, p) {
			w.Log.Warn("policy warning", "warning", p.String())
		}
	}
	before, now := w.set.Origin, next.Origin
	switch {
	case now.Problem != "" && now.Problem != before.Problem:
		w.Log.Warn("policies are not up to date", "problem", now.Problem)
	case now.Problem == "" && before.Problem != "":
		w.Log.Info("policies are up to date again", "since", before.Since)
	}
	if c := now.Commit; c != nil && (before.Commit == nil || before.Commit.ID != c.ID) {
		w.Log.Info("policies of a commit are in force", "commit", c.ID, "ref", c.Ref, "author", c.Author, "subject", c.Subject, "signedBy", c.SignedBy)
	}
	w.set, w.emitted = next, true
	w.emit(next)
}
