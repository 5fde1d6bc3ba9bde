package registry

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"greenlight/policy"
	"greenlight/rollout"
)

const (
	// pollEvery is how often files are read without being told of a change:
	// network file systems and replaced folders tell nothing.
	pollEvery = 10 * time.Second
	// grace is how long a file may be broken before that is reported. Somebody
	// may be in the middle of writing it.
	grace = 100 * time.Millisecond
)

// File watches a file of service definitions, or a folder of them.
type File struct {
	// Settle is how long a suspicious answer must stand. It may be changed
	// before the first Watch.
	Settle time.Duration

	source source
	path   string
	log    *slog.Logger
}

// NewFile makes a file registry of the file or folder at path. It reads nothing
// before the first Watch; a path that does not exist then is a problem that
// Watch reports and that ends when the path appears. log may be nil.
func NewFile(path string, log *slog.Logger) *File {
	if log == nil {
		log = slog.Default()
	}
	f := &File{Settle: DefaultSettle, path: filepath.Clean(path), log: log}
	f.source = source{name: "file", hub: newHub(f.feed), lookup: netLookup, log: log}
	return f
}

// Watch emits whole endpoint sets of a model until ctx is done, as
// [Consul.Watch] does. Datacenters mean nothing here.
func (f *File) Watch(ctx context.Context, model string, d policy.Discovery,
	last *rollout.EndpointSet, emit func(rollout.EndpointSet)) {
	s := f.source
	s.settle = f.Settle
	s.watch(ctx, model, d, []key{{}}, last, emit)
}

// feed reads the files whenever they may have changed, and at least every
// pollEvery, and publishes what they say.
func (f *File) feed(ctx context.Context, _ key, publish func(answer)) {
	r := reading{file: f, publish: publish}
	n := f.notify()
	defer n.close()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	var again <-chan time.Time
	for {
		again = nil
		if wait := r.refresh(time.Now()); wait > 0 {
			again = time.After(wait)
		}
		if !f.await(ctx, n, poll.C, again) {
			return
		}
	}
}

// await returns true when the files should be read again, false at the end.
func (f *File) await(ctx context.Context, n *notifier, poll, again <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case e := <-n.events:
			if !f.concerns(e) {
				continue
			}
		case err := <-n.errors: // events were lost
			f.log.Debug("changes of the registry file may have been missed", "path", f.path, "error", err)
		case <-poll:
		case <-again:
		}
		n.add() // the folder may be a new one
		return true
	}
}

// concerns reports whether e may have changed what the registry says. Names
// with two dots in front are how Kubernetes swaps mounted files.
func (f *File) concerns(e fsnotify.Event) bool {
	name := filepath.Base(e.Name)
	return e.Op != fsnotify.Chmod &&
		(name == filepath.Base(f.path) || isDefinition(name) || strings.HasPrefix(name, ".."))
}

// reading is the state of one feed: what was read last.
type reading struct {
	file    *File
	publish func(answer)

	digest digest // of the files that were good last
	good   bool   // false before the first good answer
	broken time.Time
	told   string // error that was published last; empty when all is well
}

// refresh reads the files and publishes what is new. It returns how long to
// wait before it must be called again; 0 means: not because of the time.
func (r *reading) refresh(now time.Time) time.Duration {
	texts, err := r.file.load()
	sum := digestOf(texts)
	if err == nil && r.good && r.broken.IsZero() && sum == r.digest {
		return 0
	}
	var all definitions
	if err == nil {
		all, err = parseAll(texts)
	}
	if err != nil {
		return r.fail(now, err)
	}
	all.warnOfChecks(r.file.log)
	r.digest, r.good, r.broken, r.told = sum, true, time.Time{}, ""
	r.publish(answer{services: all.byName()})
	return 0
}

// fail publishes err, once, unless the files were good until a moment ago.
func (r *reading) fail(now time.Time, err error) time.Duration {
	if r.broken.IsZero() {
		r.broken = now
	}
	if left := grace - now.Sub(r.broken); r.good && left > 0 {
		return left
	}
	if err.Error() != r.told {
		r.told = err.Error()
		r.publish(answer{err: err})
	}
	return 0
}

// notifier hears of changed files. Without one (the system's limit of watches
// is reached) its channels are nil, and polling is all there is.
type notifier struct {
	watcher *fsnotify.Watcher
	folders []string
	events  <-chan fsnotify.Event
	errors  <-chan error
}

// notify watches the folder that holds the file: the file itself may be
// replaced by renaming another over it.
func (f *File) notify() *notifier {
	n := &notifier{folders: []string{filepath.Dir(f.path), f.path}}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		f.log.Warn("changes of the registry file are found by polling only", "path", f.path, "error", err)
		return n
	}
	n.watcher, n.events, n.errors = w, w.Events, w.Errors
	n.add()
	return n
}

// add watches what exists; adding a folder again is harmless.
func (n *notifier) add() {
	if n.watcher == nil {
		return
	}
	for _, folder := range n.folders {
		if isFolder(folder) {
			// What can't be watched is polled.
			_ = n.watcher.Add(folder)
		}
	}
}

func (n *notifier) close() {
	if n.watcher != nil {
		_ = n.watcher.Close()
	}
}
