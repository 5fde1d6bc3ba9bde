package lab

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLoadCountsWhatClientsSaw(t *testing.T) {
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch i := n.Add(1); {
		case r.Host != "model" || r.Method != http.MethodPost:
			w.WriteHeader(http.StatusBadRequest)
		case i%10 == 0:
			w.Header().Set("x-model-color", "green")
			w.WriteHeader(http.StatusInternalServerError)
		case i%10 == 1:
			w.WriteHeader(http.StatusBadGateway)
		default:
			w.Header().Set("x-model-color", "blue")
		}
	}))
	defer server.Close()
	load := StartLoad(LoadOptions{
		URLs: []string{server.URL}, Host: "model", Body: []byte("{}"), Rate: 1000,
		Expected: func(a Answer) bool { return a.Color == "green" && a.Status == http.StatusInternalServerError },
	})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	answers, err := load.Collect(ctx, 50, func(a Answer) bool { return a.Color == "blue" })
	if err != nil || len(answers) != 50 {
		t.Fatalf("collected %d answers: %v", len(answers), err)
	}
	c := load.Stop()
	if c.Requests != int(n.Load()) || c.ByColor["blue"]+c.Expected+c.Unexpected != c.Requests {
		t.Errorf("counts %+v of %d requests don't add up", c, n.Load())
	}
	if c.Expected == 0 || c.Unexpected == 0 || c.Expected != c.ByColor["green"] || len(c.Failures) == 0 {
		t.Errorf("counts %+v lack failures", c)
	}
	for _, f := range c.Failures {
		if f.Status != http.StatusBadGateway {
			t.Errorf("an expected failure is listed: %+v", f)
		}
	}
}

// A slow server must not slow the load down: it is sent at its time.
func TestLoadIsOpen(t *testing.T) {
	var waiting atomic.Int64
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		waiting.Add(1)
		<-release
	}))
	defer server.Close()
	load := StartLoad(LoadOptions{URLs: []string{server.URL}, Rate: 200})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	err := Await(ctx, nil, "20 requests at once", func() bool { return waiting.Load() >= 20 })
	close(release)
	if load.Stop(); err != nil {
		t.Error(err)
	}
}

func TestLoadCountsWhoGotNoAnswer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	load := StartLoad(LoadOptions{URLs: []string{server.URL}, Rate: 1000})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	a, err := load.Next(ctx, Answer.Failed)
	if c := load.Stop(); err != nil || a.Err == nil || c.Unexpected != c.Requests {
		t.Errorf("answer %+v, counts %+v, error %v", a, c, err)
	}
}

func TestFreePortsDiffer(t *testing.T) {
	ports, err := FreePorts(20)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, p := range ports {
		if seen[p] || p < firstPort || p >= lastPort {
			t.Errorf("port %d is doubled or out of range in %v", p, ports)
		}
		seen[p] = true
	}
}

func TestProcEndsWithAllThatItStarted(t *testing.T) {
	dir := t.TempDir()
	p, err := StartProc("shell", dir, "/bin/sh", []string{"WORD=hello"}, "-c", "echo $WORD; sleep 60 & wait")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := Await(ctx, p, "its first words", func() bool { return strings.Contains(p.Tail(), "hello") }); err != nil {
		t.Error(err)
	}
	p.Stop()
	if p.Err() == nil {
		t.Error("a program that was ended by a signal has no error")
	}
	err = Await(ctx, p, "what never comes", func() bool { return false })
	if err == nil || !strings.Contains(err.Error(), "hello") {
		t.Errorf("waiting for an ended program gave %v; want its last words", err)
	}
}

func TestFindSaysHowToComeByAProgram(t *testing.T) {
	t.Setenv("LAB_NOTHING", "")
	t.Chdir(t.TempDir())
	_, err := find("no-such-program", "LAB_NOTHING", "tools/get-nothing")
	if err == nil || !strings.Contains(err.Error(), "tools/get-nothing") || !strings.Contains(err.Error(), "$LAB_NOTHING") {
		t.Errorf("error %v does not say what to do", err)
	}
	if err := os.MkdirAll(filepath.Join(".tools", "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(".tools", "no-such-program"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(".tools", "sub"))
	if path, err := find("no-such-program", "LAB_NOTHING", ""); err != nil || !strings.HasSuffix(path, ".tools/no-such-program") {
		t.Errorf("found %q, %v in a folder above", path, err)
	}
	t.Setenv("LAB_NOTHING", "/somewhere/else")
	if path, _ := find("no-such-program", "LAB_NOTHING", ""); path != "/somewhere/else" {
		t.Errorf("found %q, want what the variable says", path)
	}
}
