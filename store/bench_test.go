package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"
)

func BenchmarkCommit(b *testing.B) {
	s := open(b, journal(b))
	st := state("fraud", 1)
	for b.Loop() {
		if err := s.Commit(st); err != nil {
			b.Fatal(err)
		}
	}
}

// Many models at once share transactions.
func BenchmarkCommitParallel(b *testing.B) {
	s := open(b, journal(b))
	var next atomic.Int64
	b.SetParallelism(50)
	b.RunParallel(func(pb *testing.PB) {
		st := state(fmt.Sprint("m", next.Add(1)), 1)
		for pb.Next() {
			if err := s.Commit(st); err != nil {
				b.Error(err)
			}
		}
	})
}

// A registry that never rests must not hold up the commits.
func BenchmarkCommitBesideSaves(b *testing.B) {
	s := open(b, journal(b))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				if err := s.SavePolicy(model("spam")); err != nil {
					b.Error(err)
				}
			}
		}
	}()
	st := state("fraud", 1)
	for b.Loop() {
		if err := s.Commit(st); err != nil {
			b.Fatal(err)
		}
	}
	close(stop)
	<-stopped
}
