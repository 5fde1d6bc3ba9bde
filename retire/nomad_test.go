package retire

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"

	"greenlight/examples/lab"
	"greenlight/policy"
	"greenlight/rollout"
)

const nomadConfig = `
bind_addr = "127.0.0.1"
data_dir  = %q
advertise {
  http = "127.0.0.1"
  rpc  = "127.0.0.1"
  serf = "127.0.0.1"
}
ports {
  http = %d
  rpc  = %d
  serf = %d
}
server {
  enabled          = true
  bootstrap_expect = 1
}
client {
  enabled           = true
  network_interface = "lo"
  cpu_total_compute = 4000
  options = {
    "driver.allowlist"     = "raw_exec"
    "fingerprint.denylist" = "env_aws,env_gce,env_azure,env_digitalocean"
  }
}
plugin "raw_exec" {
  config {
    enabled = true
  }
}
`

// startNomad starts a real Nomad of one node and answers with its address.
func startNomad(t *testing.T) (string, *api.Client) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a real Nomad; run without -short")
	}
	bin, err := lab.FindNomad()
	if err != nil {
		t.Fatal(err)
	}
	ports, err := lab.FreePorts(3)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "nomad.hcl")
	if err := os.WriteFile(file, fmt.Appendf(nil, nomadConfig, filepath.Join(dir, "data"), ports[0], ports[1], ports[2]), 0o644); err != nil {
		t.Fatal(err)
	}
	proc, err := lab.StartProc("nomad", dir, bin, nil, "agent", "-config", file)
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + lab.Loopback(ports[0])
	client, err := api.NewClient(&api.Config{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		clear(t, client, filepath.Join(dir, "data", "alloc"))
		proc.Stop()
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = lab.Await(ctx, proc, "Nomad's node", func() bool {
		nodes, _, err := client.Nodes().List(nil)
		return err == nil && len(nodes) == 1 && nodes[0].Status == "ready"
	})
	if err != nil {
		t.Fatal(err)
	}
	return address, client
}

// clear ends every job and has Nomad take away what it mounted in their folder; an
// agent that ends leaves its tasks running.
func clear(t *testing.T, client *api.Client, folder string) {
	jobs, _, err := client.Jobs().List(nil)
	if err != nil {
		t.Error(err)
		return
	}
	for _, j := range jobs {
		if _, _, err := client.Jobs().Deregister(j.ID, true, nil); err != nil {
			t.Error(err)
		}
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if err := client.System().GarbageCollect(); err != nil {
			t.Error(err)
			return
		}
		if left, err := os.ReadDir(folder); err != nil || len(left) == 0 {
			return
		}
	}
	t.Error("Nomad keeps its tasks' folders")
}

// runJob runs n instances of a command as group model of a job, deployed all at once
// or, with a deployment, one after the other.
func runJob(t *testing.T, client *api.Client, job string, n int, deployed bool, command string, args ...string) {
	t.Helper()
	task := api.NewTask("model", "raw_exec").SetConfig("command", command).SetConfig("args", args)
	cpu, memory := 20, 16
	task.Resources = &api.Resources{CPU: &cpu, MemoryMB: &memory}
	group := api.NewTaskGroup("model", n).AddTask(task)
	if !deployed {
		none := 0
		group.Update = &api.UpdateStrategy{MaxParallel: &none}
	}
	j := api.NewServiceJob(job, job, "global", 50).AddDatacenter("dc1").AddTaskGroup(group)
	if _, _, err := client.Jobs().Register(j, nil); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for running(t, client, job) != n {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d instances of %s run", running(t, client, job), n, job)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func running(t *testing.T, client *api.Client, job string) int {
	t.Helper()
	status, _, err := client.Jobs().ScaleStatus(job, nil)
	if err != nil {
		t.Fatal(err)
	}
	return status.TaskGroups["model"].Running
}

func nomadWish(address string) rollout.LetGo {
	return rollout.LetGo{
		Key: "s1", SwitchID: "s1", Color: policy.Blue, Instances: []rollout.Endpoint{{ID: "b1"}, {ID: "b2"}},
		How: policy.Retire{Nomad: &policy.NomadRetire{
			Address: address, Group: "model", Jobs: map[policy.Color]string{policy.Blue: "fraud-blue", policy.Green: "fraud-green"},
		}},
	}
}

// The old color's job has no instance any more when LetGo returns; the other color's
// job stays, and asking again changes nothing.
func TestNomadJobIsScaled(t *testing.T) {
	address, client := startNomad(t)
	runJob(t, client, "fraud-blue", 3, false, "/bin/sleep", "600")
	runJob(t, client, "fraud-green", 1, true, "/bin/sleep", "600")
	r := New(Options{})
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		err := r.LetGo(ctx, "fraud", nomadWish(address))
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if blue, green := running(t, client, "fraud-blue"), running(t, client, "fraud-green"); blue != 0 || green != 1 {
			t.Fatalf("%d blue and %d green instances run", blue, green)
		}
	}
	status, _, err := client.Jobs().ScaleStatus("fraud-blue", nil)
	if err != nil {
		t.Fatal(err)
	}
	events := status.TaskGroups["model"].Events
	if len(events) != 1 || !strings.Contains(events[0].Message, "switch s1 of fraud let blue go") {
		t.Errorf("events %+v", events)
	}

	// A job that is being deployed can't be scaled: it is asked again later.
	w := nomadWish(address)
	w.Color = policy.Green
	if err := r.LetGo(t.Context(), "fraud", w); err == nil || !strings.Contains(err.Error(), "active deployment") {
		t.Errorf("in a deployment: %v", err)
	}

	// What Nomad refuses is said with what to do about it.
	for says, change := range map[string]func(n *policy.NomadRetire){
		"no such job; correct retire.nomad.jobs":                 func(n *policy.NomadRetire) { n.Jobs[policy.Blue] = "nothing" },
		`has no group "main"; it has model`:                      func(n *policy.NomadRetire) { n.Group = "main" },
		"look at nomad job fraud-blue: ":                         func(n *policy.NomadRetire) { n.Address = "http://127.0.0.1:1" },
		"look at nomad job fraud-blue: no such job; correct ret": func(n *policy.NomadRetire) { n.Namespace = "elsewhere" },
	} {
		w := nomadWish(address)
		change(w.How.Nomad)
		if err := r.LetGo(t.Context(), "fraud", w); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}

// Instances that are slow to stop are waited for; when that takes too long, the answer
// says how many still run.
func TestNomadIsWaitedFor(t *testing.T) {
	address, client := startNomad(t)
	runJob(t, client, "fraud-blue", 1, false, "/bin/sh", "-c", "trap '' INT TERM; while true; do sleep 1; done")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	err := New(Options{}).LetGo(ctx, "fraud", nomadWish(address))
	if err == nil || !strings.Contains(err.Error(), "1 instances still run, 0 should") {
		t.Fatalf("%v", err)
	}
	again, cancelAgain := context.WithTimeout(t.Context(), time.Minute)
	defer cancelAgain()
	if err := New(Options{}).LetGo(again, "fraud", nomadWish(address)); err != nil {
		t.Error(err)
	}
}
