package store

import (
	"errors"
	"sync"

	bolt "go.etcd.io/bbolt"
)

// errClosed answers writes after Close.
var errClosed = errors.New("journal is closed")

// maxGroup bounds one transaction, so that the first writer in a long queue
// does not wait for the last.
const maxGroup = 256

// write is one change that waits for its transaction.
type write struct {
	apply func(*bolt.Tx) error
	done  chan error
}

// writer is the one goroutine that writes. Whatever waits when it comes round
// shares a transaction, and so one fsync: a lone write is not delayed (as
// bbolt's Batch would, by its timer), and many cost little more than one.
// States go before all else.
type writer struct {
	db      *bolt.DB
	urgent  chan write // states and switches
	patient chan write // everything else
	quit    chan struct{}
	once    sync.Once
	ended   chan struct{}
}

func newWriter(db *bolt.DB) *writer {
	w := &writer{
		db:      db,
		urgent:  make(chan write, maxGroup),
		patient: make(chan write, maxGroup),
		quit:    make(chan struct{}),
		ended:   make(chan struct{}),
	}
	go w.run()
	return w
}

// stop ends the writer after what was queued before.
func (w *writer) stop() {
	w.once.Do(func() { close(w.quit) })
	<-w.ended
}

// do queues apply and waits until it is on disk. apply may run twice: once
// more, alone, when the transaction that it shared failed.
func (w *writer) do(queue chan write, apply func(*bolt.Tx) error) error {
	job := write{apply: apply, done: make(chan error, 1)}
	select {
	case <-w.quit:
		return errClosed
	default:
	}
	select {
	case queue <- job:
	case <-w.ended:
		return errClosed
	}
	select {
	case err := <-job.done:
		return err
	case <-w.ended:
	}
	select { // it may have been the last one written
	case err := <-job.done:
		return err
	default:
		return errClosed
	}
}

func (w *writer) run() {
	defer close(w.ended)
	for {
		group, open := w.next()
		if len(group) > 0 {
			w.commit(group)
		}
		if !open {
			return
		}
	}
}

// next waits for a write and takes what else is queued of the same urgency.
// After stop it hands out what is left and then says that the queue is closed.
func (w *writer) next() (group []write, open bool) {
	if group = drain(w.urgent, nil); len(group) > 0 {
		return group, true
	}
	select {
	case job := <-w.urgent:
		return drain(w.urgent, []write{job}), true
	case job := <-w.patient:
		return drain(w.patient, []write{job}), true
	case <-w.quit:
		group = drain(w.patient, drain(w.urgent, nil))
		return group, len(group) > 0
	}
}

func drain(queue chan write, group []write) []write {
	for len(group) < maxGroup {
		select {
		case job := <-queue:
			group = append(group, job)
		default:
			return group
		}
	}
	return group
}

// commit writes the group in one transaction. If that fails, each is tried
// alone, so that one bad write does not fail its neighbours.
func (w *writer) commit(group []write) {
	err := w.update(func(tx *bolt.Tx) error {
		for _, job := range group {
			if err := job.apply(tx); err != nil {
				return err
			}
		}
		return nil
	})
	for _, job := range group {
		if err != nil && len(group) > 1 {
			job.done <- w.update(job.apply)
			continue
		}
		job.done <- err
	}
}

func (w *writer) update(apply func(*bolt.Tx) error) (err error) {
	defer catchFault(w.db.Path(), &err)()
	return w.db.Update(apply)
}
