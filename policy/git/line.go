package git

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
)

// line opens the connections of one fetch. They end with it, whatever the other side
// does or leaves undone (an ssh handshake has no timeout of its own), and bring no
// more bytes than are left.
type line struct {
	ctx  context.Context
	left atomic.Int64
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	bounded := &boundedConn{Conn: conn, line: l}
	bounded.release = context.AfterFunc(l.ctx, func() { _ = conn.Close() })
	return bounded, nil
}

type boundedConn struct {
	net.Conn
	line    *line
	release func() bool
}

func (c *boundedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.line.left.Add(-int64(n)) < 0 {
		_ = c.Conn.Close()
		return 0, errTooMuch
	}
	return n, err
}

func (c *boundedConn) Close() error {
	c.release()
	return c.Conn.Close()
}

var errTooMuch = errors.New("the server sends too much")
