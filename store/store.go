// Package store keeps on one machine's disk what must outlive the process: the
// state of every model, the history of its switches, and the last good answers
// of the registry, the policy folder and the fleets. It is one bbolt file.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// format is the version of what the buckets hold. A file of another format is
// refused, never guessed at.
const format = "greenlight/1"

// lockWait is how long Open waits for a process that is just ending.
const lockWait = time.Second

// The buckets. Values are JSON unless said.
var (
	metaBucket      = []byte("meta")      // "format" → format, as text
	stateBucket     = []byte("states")    // model → stateRecord
	switchBucket    = []byte("switches")  // switch id → rollout.Switch
	byModelBucket   = []byte("by-model")  // model, 0, start, id → nothing
	byTimeBucket    = []byte("by-time")   // start, id → nothing
	byKeyBucket     = []byte("by-key")    // model, 0, idempotency key → switch id, as text
	endpointsBucket = []byte("endpoints") // model → rollout.EndpointSet
	policyBucket    = []byte("policies")  // model → policy.Model
	takenBucket     = []byte("taken")     // model → policy.Model
	fleetBucket     = []byte("fleets")    // fleet → policy.Fleet
	nodeBucket      = []byte("nodes")     // fleet, 0, node → rollout.NodeRecord
	reportBucket    = []byte("reports")   // switch id, 0, stage, 0, check → rollout.Verdict, compressed

	troubleBucket   = []byte("troubles")   // what has it → Trouble
	recordingBucket = []byte("recordings") // switch id, 0, time → part of a record.Recording, compressed

	formatKey = []byte("format")
	buckets   = [][]byte{
		stateBucket, switchBucket, byModelBucket, byTimeBucket, byKeyBucket,
		endpointsBucket, policyBucket, takenBucket, fleetBucket, nodeBucket,
	}
	// laterBuckets are those that a file of an older greenlight may lack.
	laterBuckets = [][]byte{reportBucket, recordingBucket, troubleBucket}
)

// Store is an open journal. Its methods may be called from any goroutine;
// those that write return when the write is on disk.
type Store struct {
	db     *bolt.DB
	writer *writer
}

// Open opens the journal at path, and makes it, and its folder, if there is
// none. Only one process can have it open.
func Open(path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make folder of journal %s: %w", path, err)
	}
	db, err := openFile(path)
	if err != nil {
		return nil, err
	}
	if err := prepare(db, path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Store{db: db, writer: newWriter(db)}, nil
}

// Close waits for the writes that have begun and gives the file back.
func (s *Store) Close() error {
	s.writer.stop()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

// openFile opens the bbolt file. The free list is written with each commit:
// leaving it out saves nothing that can be measured, and makes Open rebuild it
// in a goroutine in which the faults of a damaged file can't be caught.
func openFile(path string) (db *bolt.DB, err error) {
	defer catchFault(path, &err)()
	_, statErr := os.Stat(path)
	db, err = bolt.Open(path, 0o600, &bolt.Options{
		Timeout:      lockWait,
		FreelistType: bolt.FreelistMapType,
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("open journal: %s is in use by another greenlight; stop that one, or give this one a journal of its own", path)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return nil, damaged(path, err)
	case err != nil:
		return nil, fmt.Errorf("open journal %s: %w", path, err)
	}
	if errors.Is(statErr, fs.ErrNotExist) {
		err = syncFolder(filepath.Dir(path))
	}
	return db, err
}

// prepare makes the buckets of a new file, and looks through the states of an
// old one, so that damage is told at the start and not in the middle of a switch.
func prepare(db *bolt.DB, path string) (err error) {
	defer catchFault(path, &err)()
	fresh := false
	err = db.View(func(tx *bolt.Tx) error {
		if err := checkSize(tx, path); err != nil {
			return err
		}
		first, _ := tx.Cursor().First()
		fresh = first == nil
		return nil
	})
	if err != nil {
		return err
	}
	if fresh {
		return db.Update(create)
	}
	complete := true
	err = db.View(func(tx *bolt.Tx) error {
		for _, name := range laterBuckets {
			complete = complete && tx.Bucket(name) != nil
		}
		return inspect(tx, path)
	})
	if err != nil || complete {
		return err
	}
	return db.Update(createLater)
}

func create(tx *bolt.Tx) error {
	meta, err := tx.CreateBucket(metaBucket)
	if err != nil {
		return fmt.Errorf("create journal: %w", err)
	}
	for _, name := range buckets {
		if _, err := tx.CreateBucket(name); err != nil {
			return fmt.Errorf("create journal: %w", err)
		}
	}
	if err := createLater(tx); err != nil {
		return err
	}
	return meta.Put(formatKey, []byte(format))
}

func createLater(tx *bolt.Tx) error {
	for _, name := range laterBuckets {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return fmt.Errorf("create journal: %w", err)
		}
	}
	return nil
}

func inspect(tx *bolt.Tx, path string) error {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		return fmt.Errorf("open journal: %s is a bbolt file of another program; give greenlight a journal of its own", path)
	}
	if got := string(meta.Get(formatKey)); got != format {
		return fmt.Errorf("open journal: %s has format %q and this greenlight writes %q; use the greenlight that wrote it", path, got, format)
	}
	for _, name := range buckets {
		if tx.Bucket(name) == nil {
			return damaged(path, fmt.Errorf("bucket %q is missing", name))
		}
	}
	if _, err := readStates(tx); err != nil {
		return damaged(path, err)
	}
	return nil
}

// checkSize finds a file that was cut: reading beyond its end would fault.
func checkSize(tx *bolt.Tx, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("open journal: %w", err)
	}
	if info.Size() < tx.Size() {
		return damaged(path, fmt.Errorf("it has %d bytes and should have %d", info.Size(), tx.Size()))
	}
	return nil
}

// catchFault turns what bbolt does on a damaged file (a panic, or a fault in
// the mapped memory) into an error. Use: defer catchFault(path, &err)().
func catchFault(path string, err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if r := recover(); r != nil {
			*err = damaged(path, fmt.Errorf("%v", r))
		}
	}
}

// view reads in one transaction.
func (s *Store) view(read func(*bolt.Tx) error) (err error) {
	defer catchFault(s.db.Path(), &err)()
	return s.db.View(read)
}

func damaged(path string, err error) error {
	return fmt.Errorf("read journal: %s is damaged or not a journal (%w); "+
		"put back a copy, or move it away and start anew: live colors are then taken from initialLive in the policies, and history is lost", path, err)
}

// syncFolder makes the name of a new file durable.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder of journal: %w", err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync folder of journal: %w", err)
	}
	return nil
}
