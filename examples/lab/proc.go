// Package lab starts real Envoys, a real Consul, model servers and a steady
// load on this machine's loopback addresses, for the demo and for tests.
package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Proc is a program that was started in a process group of its own, so that
// signals to the starting shell do not reach it and all it started ends with it.
type Proc struct {
	Name string
	// Log is the file that holds what the program printed.
	Log string

	cmd  *exec.Cmd
	done chan struct{} // closed when the program has ended

	mu  sync.Mutex
	err error // why it ended; guarded by mu
}

// StartProc runs the program at bin. What it prints is appended to dir/name.log.
func StartProc(name, dir, bin string, env []string, args ...string) (*Proc, error) {
	p := &Proc{Name: name, Log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", name, err)
	}
	p.cmd = exec.Command(bin, args...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Dir = dir
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		log.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		err := p.cmd.Wait()
		log.Close()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		close(p.done)
	}()
	return p, nil
}

// PID is the process id.
func (p *Proc) PID() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Proc) Done() <-chan struct{} { return p.done }

// Err is why the program ended; nil while it runs.
func (p *Proc) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Signal sends sig to the program and everything that it started.
func (p *Proc) Signal(sig syscall.Signal) { _ = syscall.Kill(-p.PID(), sig) }

// Kill ends the program as kill -9 does and waits until it is gone.
func (p *Proc) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.done
}

// Stop asks the program to end and kills it after five seconds.
func (p *Proc) Stop() {
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		p.Kill()
	}
}

// Tail is the end of what the program printed, for error messages.
func (p *Proc) Tail() string {
	const most = 2000
	f, err := os.Open(p.Log)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if end, err := f.Seek(0, io.SeekEnd); err == nil && end > most {
		_, _ = f.Seek(-most, io.SeekEnd)
	} else {
		_, _ = f.Seek(0, io.SeekStart)
	}
	text, _ := io.ReadAll(f)
	return string(text)
}

// Await polls condition until it holds, the program p ends, or ctx is done.
// p may be nil.
func Await(ctx context.Context, p *Proc, what string, condition func() bool) error {
	var ended <-chan struct{}
	if p != nil {
		ended = p.done
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ended:
			return fmt.Errorf("wait for %s: %s ended (%w); its last words: %s", what, p.Name, p.Err(), p.Tail())
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		}
	}
	return nil
}

// find looks in the environment, on the PATH, and in .tools of this folder and those above.
func find(name, variable, recipe string) (string, error) {
	if path := os.Getenv(variable); path != "" {
		return path, nil
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find %s: %w", name, err)
	}
	for ; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, ".tools", name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New(name + " is not there: set $" + variable + ", put it on the PATH, or run " + recipe)
		}
	}
}

// FindEnvoy is the path of an Envoy: $ENVOY, one on the PATH, or .tools/envoy
// here or in a folder above.
func FindEnvoy() (string, error) { return find("envoy", "ENVOY", "tools/get-envoy") }

// FindConsul is the path of a Consul, looked for in the same places.
func FindConsul() (string, error) { return find("consul", "CONSUL", "tools/get-consul") }

// FindNomad is the path of a Nomad, looked for in the same places.
func FindNomad() (string, error) { return find("nomad", "NOMAD", "tools/get-nomad") }
