package predict

import (
	"context"
	"errors"
	"io"
	"sync"

	"greenlight/check/dataset"
	"greenlight/policy"
)

// Pool asks all endpoints of a color.
type Pool struct {
	clients []*Client
	batch   int
	workers int
}

// NewPool makes a client for each endpoint. Errors as NewClient's; at least one endpoint.
func NewPool(spec policy.Predict, schema *dataset.Schema, endpoints []Endpoint, o Options) (*Pool, error) {
	if len(endpoints) == 0 {
		return nil, errors.New("no endpoint to ask")
	}
	if o.Limiter == nil {
		o.Limiter = NewLimiter(o.Cap)
	}
	o = o.withDefaults()
	protocol, err := speak(spec, schema)
	if err != nil {
		return nil, err
	}
	p := &Pool{batch: max(spec.Batch, 1), workers: o.Limiter.concurrency()}
	if spec.Protocol == policy.PlainJSON {
		p.batch = 1
	}
	for _, e := range endpoints {
		c, err := newClient(spec, protocol, e, o)
		if err != nil {
			p.Close()
			return nil, err
		}
		p.clients = append(p.clients, c)
	}
	return p, nil
}

// Close drops all connections.
func (p *Pool) Close() {
	for _, c := range p.clients {
		c.Close()
	}
}

// Batch is rows with what was predicted for them, or why nothing was.
type Batch struct {
	First       int // index of the first row in the order of next, from 0
	Rows        []dataset.Row
	Predictions []Prediction // one per row; nil if Err is set
	Endpoint    string       // who answered
	Err         error        // as Client.Predict's
}

// pending is a batch on its way.
type pending struct {
	Batch
	client *Client
	// parts is what is handed on instead of the batch: its rows, asked one by one.
	parts []Batch
}

// window is how many batches are read, but not yet handed on, at most. It is
// larger than the number of requests at a time: a slow answer holds up the
// delivery of those behind it, but not the sending of more.
func (p *Pool) window() int {
	return max(2*p.workers, min(8*p.workers, 4096/p.batch))
}

// Run reads rows from next until io.EOF, sends them in batches over all
// endpoints in turn within the pool's caps, and hands every batch to sink, in
// the order of the rows. The rows of a batch that was answered wrong are asked
// again one by one, within bounds, and handed on as batches of one row. next and
// sink are called by the caller's goroutine only. It holds no more than a few
// batches per request in flight in memory. It returns when all are done, or the
// error of next, or the cause of ctx's end, or what sink returned; then nothing
// that it started is left running.
func (p *Pool) Run(ctx context.Context, next func() (dataset.Row, error), sink func(Batch) error) error {
	ctx, cancel := context.WithCancel(ctx)
	window := p.window()
	r := &run{
		pool: p, next: next, sink: sink,
		todo: make(chan int, window), done: make(chan int, window),
		ring: make([]pending, window), finished: make([]bool, window),
	}
	var workers sync.WaitGroup
	for range min(p.workers, window) {
		workers.Go(func() { r.work(ctx) })
	}
	err := r.run(ctx)
	cancel()
	close(r.todo)
	workers.Wait()
	return err
}

// run is one Run. Its goroutine reads and delivers; the workers ask.
type run struct {
	pool     *Pool
	next     func() (dataset.Row, error)
	sink     func(Batch) error
	todo     chan int  // slots of ring, to the workers
	done     chan int  // slots of ring that are answered
	ring     []pending // batch i stands in slot i modulo its length
	finished []bool    // by slot
	rows     int       // read so far
	ended    bool      // next has no more
	singly   singly
}

func (r *run) run(ctx context.Context) error {
	head, tail := 0, 0 // of the batches read and not yet delivered
	for {
		for !r.ended && tail-head < len(r.ring) {
			at := tail % len(r.ring)
			b := &r.ring[at]
			if err := r.fill(b); err != nil {
				return err
			}
			if len(b.Rows) == 0 {
				break
			}
			b.client = r.pool.clients[tail%len(r.pool.clients)]
			b.Endpoint = b.client.name
			r.todo <- at // has room for the whole window
			tail++
			// What is answered is handed on between two readings.
			if len(r.done) > 0 {
				break
			}
		}
		if head == tail {
			return ended(ctx)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case at := <-r.done:
			r.finished[at] = true
		}
		for ; head < tail && r.finished[head%len(r.ring)]; head++ {
			at := head % len(r.ring)
			if err := r.hand(ctx, &r.ring[at]); err != nil {
				return err
			}
			r.ring[at], r.finished[at] = pending{}, false
		}
	}
}

// work asks for what stands in slots, until there are no more.
func (r *run) work(ctx context.Context) {
	for at := range r.todo {
		b := &r.ring[at]
		b.Predictions, b.Err = b.client.Predict(ctx, b.Rows)
		b.parts = r.singly.ask(ctx, b)
		r.done <- at
	}
}

// hand hands a batch on, or its parts.
func (r *run) hand(ctx context.Context, b *pending) error {
	parts := b.parts
	if parts == nil {
		parts = []Batch{b.Batch}
	}
	for _, part := range parts {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.sink(part); err != nil {
			return err
		}
	}
	return nil
}

func ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// fill reads a batch; an empty one if there are no more rows.
func (r *run) fill(b *pending) error {
	*b = pending{Batch: Batch{First: r.rows, Rows: make([]dataset.Row, 0, r.pool.batch)}}
	for len(b.Rows) < r.pool.batch {
		row, err := r.next()
		if errors.Is(err, io.EOF) {
			r.ended = true
			break
		}
		if err != nil {
			return err
		}
		b.Rows = append(b.Rows, row)
	}
	r.rows += len(b.Rows)
	return nil
}
