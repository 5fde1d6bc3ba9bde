package policy

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// How a watched folder reacts. An editor writes a file in several steps, so a
// reading waits until the folder was quiet for a moment, but not for ever.
const (
	quietFor  = 100 * time.Millisecond
	quietMost = time.Second
	pollEvery = 10 * time.Second
	// removeAfter is how long a folder must have been the same before what is gone
	// from it is removed: who writes slowly empties a file before it is filled.
	removeAfter = 5 * time.Second
)

// Folder is a policy folder that is watched.
type Folder struct {
	dir          string
	allowRemoval bool
	log          *slog.Logger

	quiet, most, poll, remove time.Duration
}

// NewFolder watches dir once Watch is called. allowRemoval lets a vanished
// policy file take its policy out of force.
func NewFolder(dir string, allowRemoval bool, log *slog.Logger) *Folder {
	return &Folder{dir: dir, allowRemoval: allowRemoval, log: log, quiet: quietFor, most: quietMost, poll: pollEvery, remove: removeAfter}
}

// Watch emits what is in force until ctx is done, and returns nil then. prev
// is what was in force before the start: the last good policies from disk. The
// first Set is the first whole reading merged into it; later ones are emitted
// only when they differ. An error means that the folder can't be watched.
func (f *Folder) Watch(ctx context.Context, prev Set, emit func(Set)) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch policy folder: %w", err)
	}
	defer func() { _ = watcher.Close() }()
	poll := time.NewTicker(f.poll)
	defer poll.Stop()

	w := &folderWatch{Folder: f, watcher: watcher, set: prev, settled: time.NewTimer(time.Hour)}
	defer w.settled.Stop()
	w.read(emit, true)
	for {
		// One of five things can happen: it ends, something in the folder
		// changed, events were lost, it is time to look by ourselves, or what is
		// gone may be gone for good.
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-watcher.Events:
			if !ok {
				return fmt.Errorf("watch policy folder %s: the watch ended", f.dir)
			}
			if !w.settle(ctx) {
				return nil
			}
			w.read(emit, false)
		case err := <-watcher.Errors:
			f.log.Warn("policy folder: events were lost; reading it again", "dir", f.dir, "err", err)
			w.read(emit, false)
		case <-poll.C:
			if scan := scanFolder(f.dir); scan.err != nil || scan.stamp != w.stamp {
				w.read(emit, false)
			}
		case <-w.settled.C:
			w.read(emit, false)
		}
	}
}

// folderWatch is one run of Watch; only its goroutine touches it.
type folderWatch struct {
	*Folder
	watcher *fsnotify.Watcher
	set     Set
	stamp   uint64
	since   time.Time   // when stamp was first seen
	settled *time.Timer // reads again what is too fresh to remove anything
}

// settle waits until no event came for a while; false when ctx is done.
func (w *folderWatch) settle(ctx context.Context) bool {
	limit := time.NewTimer(w.most)
	defer limit.Stop()
	quiet := time.NewTimer(w.quiet)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-w.watcher.Events:
			quiet.Reset(w.quiet)
		case <-quiet.C:
			return true
		case <-limit.C:
			return true
		}
	}
}

// read reads the folder and emits what changed. Folders are watched before the
// reading that counts: what changes after a look at them makes an event.
func (w *folderWatch) read(emit func(Set), first bool) {
	w.follow(scanFolder(w.dir).folders)
	r := Read(w.dir)
	r.AllowRemoval = w.allowRemoval
	w.follow(r.folders)
	next := w.merge(r, time.Now())
	if !first && next.Same(w.set) {
		return
	}
	w.tell(next)
	w.set = next
	emit(next)
}

// merge is Merge, but what is gone from a folder that has just changed stands until
// the folder has settled.
func (w *folderWatch) merge(r Reading, now time.Time) Set {
	if r.stamp != w.stamp || r.Err != nil || w.since.IsZero() {
		w.stamp, w.since = r.stamp, now
	}
	next := Merge(w.set, r, now)
	left := w.since.Add(w.remove).Sub(now)
	if !r.AllowRemoval || left <= 0 {
		return next
	}
	r.Fresh = true
	kept := Merge(w.set, r, now)
	if !kept.Same(next) {
		w.settled.Reset(left)
	}
	return kept
}

// follow watches exactly the given folders, and the one that holds the policy
// folder if that is a link, which may be pointed elsewhere.
func (w *folderWatch) follow(folders []string) {
	if info, err := os.Lstat(w.dir); err == nil && info.Mode()&os.ModeSymlink != 0 {
		folders = append(slices.Clone(folders), filepath.Dir(filepath.Clean(w.dir)))
	}
	watched := w.watcher.WatchList()
	for _, old := range watched {
		if !slices.Contains(folders, old) {
			// It fails when the folder is gone, and its watch with it.
			_ = w.watcher.Remove(old)
		}
	}
	for _, folder := range folders {
		if slices.Contains(watched, folder) {
			continue
		}
		if err := w.watcher.Add(folder); err != nil {
			w.log.Warn("policy folder: can't be watched; it is only read every "+w.poll.String(), "dir", folder, "err", err)
		}
	}
}

// tell logs what is wrong or doubtful, once.
func (w *folderWatch) tell(next Set) {
	for _, p := range next.Problems {
		if !slices.Contains(w.set.Problems, p) {
			w.log.Warn("policy problem", "file", p.place(), "rule", p.Rule, "problem", p.Message, "model", p.Model)
		}
	}
	for _, p := range next.Warnings {
		if !slices.Contains(w.set.Warnings, p) {
			w.log.Warn("policy warning", "file", p.place(), "rule", p.Rule, "warning", p.Message, "model", p.Model)
		}
	}
}
