package check

import "sync"

// numbered gives words numbers in the order in which they are first seen: rows
// hold a number instead of a word. It holds at most limit words, for they come
// from files and from models. It may be used by many goroutines.
type numbered struct {
	limit int
	mu    sync.Mutex // guards what follows
	index map[string]int32
	words []string
}

func newNumbered(limit int) *numbered {
	return &numbered{limit: limit, index: map[string]int32{}}
}

// number is the word's number; false if it is new and there is no room for it.
func (n *numbered) number(word string) (int32, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if at, known := n.index[word]; known {
		return at, true
	}
	if len(n.words) == n.limit {
		return 0, false
	}
	at := int32(len(n.words))
	n.index[word], n.words = at, append(n.words, word)
	return at, true
}

// all is the words by number. It may be called when no more are added.
func (n *numbered) all() []string { return n.words }

// word is the word with a number.
func (n *numbered) word(number int32) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.words[number]
}
