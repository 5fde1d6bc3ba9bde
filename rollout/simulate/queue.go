package simulate

import (
	"container/heap"
	"time"
)

// due is something that happens at a time.
type due struct {
	at   time.Time
	turn uint64 // of two at one time, the one that was planned first
	do   func()
}

// queue is what is going to happen, the next first.
type queue struct {
	all   []*due
	turns uint64
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (q *queue) Len() int { return len(q.all) }

// Less orders by time, and then by turn.
func (q *queue) Less(i, j int) bool {
	a, b := q.all[i], q.all[j]
	if !a.at.Equal(b.at) {
		return a.at.Before(b.at)
	}
	return a.turn < b.turn
}

// Swap exchanges two.
func (q *queue) Swap(i, j int) { q.all[i], q.all[j] = q.all[j], q.all[i] }

// Push is called by container/heap alone.
func (q *queue) Push(x any) {
	if d, ok := x.(*due); ok {
		q.all = append(q.all, d)
	}
}

// Pop is called by container/heap alone.
func (q *queue) Pop() any {
	last := q.all[len(q.all)-1]
	q.all = q.all[:len(q.all)-1]
	return last
}

// plan lets do happen at a time.
func (q *queue) plan(at time.Time, do func()) {
	q.turns++
	heap.Push(q, &due{at: at, turn: q.turns, do: do})
}

// next is what happens next; nil when nothing is planned.
func (q *queue) next() *due {
	if len(q.all) == 0 {
		return nil
	}
	return q.all[0]
}

// take removes what happens next.
func (q *queue) take() {
	if len(q.all) > 0 {
		heap.Pop(q)
	}
}
