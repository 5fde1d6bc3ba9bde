package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"greenlight/examples/lab"
)

// zoo is the versions of one model, trained for the test on scikit-learn's
// digits, and the real model servers that serve them.
type zoo struct {
	w       *world
	python  string
	folder  string // what testdata/zoo/train.py made
	scripts string
}

// served is one version at one model server.
type served struct {
	version    string
	http, grpc int // ports; grpc is 0 for MLflow
}

func newZoo(t *testing.T, w *world) *zoo {
	t.Helper()
	python, err := lab.FindPython()
	must(t, err)
	scripts, err := filepath.Abs("testdata/zoo")
	must(t, err)
	z := &zoo{w: w, python: python, folder: filepath.Join(w.dir, "zoo"), scripts: scripts}
	training, err := lab.StartProc("training", w.dir, python, nil, "-W", "ignore", filepath.Join(scripts, "train.py"), z.folder)
	must(t, err)
	t.Cleanup(training.Stop)
	select {
	case <-training.Done():
	case <-w.within(patience).Done():
		t.Fatalf("training takes too long: %s", training.Tail())
	}
	if err := training.Err(); err != nil {
		t.Fatalf("training: %v\n%s", err, training.Tail())
	}
	return z
}

// mlserver serves versions, each by an MLServer of its own, all at the same time.
func (z *zoo) mlserver(versions ...string) map[string]served {
	return z.serve("mlserver", z.python, versions, func(s served, ports []int) []string {
		s.grpc = ports[1]
		settings := fmt.Sprintf(`{"host": "127.0.0.1", "http_port": %d, "grpc_port": %d, "metrics_port": %d, "parallel_workers": 0, "debug": false}`,
			ports[0], ports[1], ports[2])
		home := filepath.Join(z.folder, "mlserver", s.version)
		must(z.w.t, os.WriteFile(filepath.Join(home, "settings.json"), []byte(settings), 0o644))
		return []string{"-c", "from mlserver.cli import main; main()", "start", home}
	}, "/v2/models/digits/ready")
}

// mlflow serves versions by MLflow's scoring server.
func (z *zoo) mlflow(versions ...string) map[string]served {
	return z.serve("mlflow", z.python, versions, func(s served, ports []int) []string {
		return []string{
			"-m", "mlflow", "models", "serve", "-m", filepath.Join(z.folder, "mlflow", s.version),
			"--env-manager", "local", "--host", "127.0.0.1", "--port", fmt.Sprint(ports[0]),
		}
	}, "/ping")
}

// kserve serves versions by KServe.
func (z *zoo) kserve(versions ...string) map[string]served {
	python, err := lab.FindKServe()
	must(z.w.t, err)
	return z.serve("kserve", python, versions, func(s served, ports []int) []string {
		return []string{
			filepath.Join(z.scripts, "kserve_server.py"), fmt.Sprint(ports[0]),
			filepath.Join(z.folder, "mlserver", s.version, "model.joblib"),
		}
	}, "/v2/models/digits/ready")
}

// serve starts one server for each version and waits until all are ready.
func (z *zoo) serve(kind, python string, versions []string, command func(served, []int) []string, ready string) map[string]served {
	t := z.w.t
	t.Helper()
	env := []string{"PYTHONPATH=" + z.scripts, "PATH=" + filepath.Dir(python) + ":" + os.Getenv("PATH"), "MLFLOW_DISABLE_TELEMETRY=true"}
	all := map[string]served{}
	procs := map[string]*lab.Proc{}
	for _, version := range versions {
		ports, err := lab.FreePorts(3)
		must(t, err)
		s := served{version: version, http: ports[0]}
		if kind == "mlserver" {
			s.grpc = ports[1]
		}
		dir := filepath.Join(z.w.dir, kind+"-"+version)
		must(t, os.MkdirAll(dir, 0o755))
		procs[version], err = lab.StartProc(kind+"-"+version, dir, python, env, command(s, ports)...)
		must(t, err)
		t.Cleanup(procs[version].Kill)
		all[version] = s
	}
	var wg sync.WaitGroup
	failures := make([]error, len(versions))
	within := z.w.within(2 * patience)
	for i, version := range versions {
		wg.Go(func() {
			failures[i] = lab.Await(within, procs[version], kind+" "+version, func() bool {
				return answers("http://" + lab.Loopback(all[version].http) + ready)
			})
		})
	}
	wg.Wait()
	for i, err := range failures {
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", kind, versions[i], err, procs[versions[i]].Tail())
		}
	}
	return all
}

func answers(url string) bool {
	resp, err := http.Get(url)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode == http.StatusOK
}

// copyInto puts files of the zoo beside the policies.
func (z *zoo) copyInto(folder string, files ...string) {
	z.w.t.Helper()
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(z.folder, f))
		must(z.w.t, err)
		must(z.w.t, os.WriteFile(filepath.Join(folder, f), data, 0o644))
	}
}
