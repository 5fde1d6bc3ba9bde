package check_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"greenlight/check/dataset"
	"greenlight/check/predict"
	"greenlight/policy"
)

// benchServer in the environment makes the test binary serve predictions
// instead of testing, so that the server's work and memory are not the client's.
const benchServer = "GREENLIGHT_BENCH_SERVER"

const (
	benchRows        = 100_000
	benchConcurrency = 16
	benchAnswer      = `{"model_name":"m","outputs":[{"name":"predict","datatype":"INT64","shape":[1,1],"data":[1]}]}`
)

// serveBench answers every request in 1 ms, until its input ends.
func serveBench() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-time.After(time.Millisecond)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, benchAnswer)
	})}
	s.Protocols.SetUnencryptedHTTP2(true)
	fmt.Println(l.Addr())
	go func() { _ = s.Serve(l) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// startBenchServer is the address of a server in a process of its own.
func startBenchServer(b *testing.B) string {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), benchServer+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { stdin.Close(); _ = cmd.Wait() })
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(address)
}

func benchFile(b *testing.B) string {
	var text strings.Builder
	text.WriteString("amount,age,balance,score\n")
	for i := range benchRows {
		fmt.Fprintf(&text, "%d.25,%d,%d.5,0.%d\n", i, 18+i%70, i*3, i)
	}
	name := filepath.Join(b.TempDir(), "rows.csv")
	if err := os.WriteFile(name, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return name
}

// bare is how many requests per second a client of net/http alone gets done,
// that knows its body and does nothing with the answers.
func bare(b *testing.B, address string) float64 {
	const body = `{"inputs":[{"name":"input","datatype":"FP64","shape":[1,4],"data":[50000.25,18,150000.5,0.5]}]}`
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport}
	var left atomic.Int64
	left.Store(benchRows)
	var wg sync.WaitGroup
	began := time.Now()
	for range benchConcurrency {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				response, err := client.Post("http://"+address+"/infer", "application/json", strings.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		})
	}
	wg.Wait()
	return benchRows / time.Since(began).Seconds()
}

// predictions is how many predictions per second come out of a file of rows.
func predictions(b *testing.B, address, name string) float64 {
	began := time.Now()
	file, err := dataset.Open(name, dataset.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	pool, err := predict.NewPool(policy.Predict{Protocol: policy.OpenInference, Path: "/infer", Batch: 1}, file.Schema(),
		[]predict.Endpoint{{Address: address, Name: "idle"}},
		predict.Options{Check: "bench", HTTP2: true, Cap: policy.Cap{Concurrency: benchConcurrency}, RequestTimeout: 10 * time.Second})
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	rows := file.Rows()
	defer rows.Close()
	n := 0
	err = pool.Run(context.Background(), rows.Next, func(got predict.Batch) error {
		if got.Err == nil && (got.First != n || got.Predictions[0].Label != "1") {
			return errors.New("a wrong prediction")
		}
		n += len(got.Rows)
		return got.Err
	})
	if err != nil || n != benchRows {
		b.Fatalf("%d predictions: %v", n, err)
	}
	return benchRows / time.Since(began).Seconds()
}

// peakMemory is the most memory that this process has ever had, in MB.
func peakMemory(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kB / 1000
		}
	}
	b.Fatal("no VmHWM in /proc/self/status")
	return 0
}

// The figure to reach: 100,000 predictions against a server that answers in
// 1 ms, at 80 % of a bare HTTP/2 client's rate at least, in less than 200 MB.
func BenchmarkFigurePredictions(b *testing.B) {
	address, name := startBenchServer(b), benchFile(b)
	var ours, theirs float64
	for b.Loop() {
		theirs = bare(b, address)
		ours = predictions(b, address, name)
	}
	b.ReportMetric(ours, "predictions/s")
	b.ReportMetric(theirs, "bare/s")
	b.ReportMetric(100*ours/theirs, "%of-bare")
	b.ReportMetric(peakMemory(b), "peak-MB")
	b.Logf("goal: at least 80 %% of bare, less than 200 MB; got %.0f %%, %.0f MB", 100*ours/theirs, peakMemory(b))
}
