package lab

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
)

// Ports for programs that cannot be told to choose one themselves come from
// below the range from which Linux takes the ports of outgoing connections, so
// that no connection takes one between the look and the start.
const (
	firstPort = 15000
	lastPort  = 32000
	portTries = 1000
)

// turn counts the ports that were looked at, from a random one on. A port that was found
// and is not listened on yet is not found again in its turn, and hardly by another process.
var turn atomic.Uint32

func init() { turn.Store(rand.Uint32()) }

// FreePorts finds n different TCP ports of 127.0.0.1 that nobody listens on.
func FreePorts(n int) ([]int, error) {
	var ports []int
	for tries := 0; len(ports) < n; tries++ {
		if tries == portTries {
			return nil, fmt.Errorf("find %d free ports between %d and %d: none after %d tries", n, firstPort, lastPort, tries)
		}
		port := firstPort + int(turn.Add(1)%(lastPort-firstPort))
		l, err := net.Listen("tcp", Loopback(port))
		if err != nil {
			continue
		}
		// Held until all are found, so that none is found twice.
		defer l.Close()
		ports = append(ports, port)
	}
	return ports, nil
}

// Loopback is the address of port on 127.0.0.1.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
