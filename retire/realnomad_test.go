package retire

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"

	"greenlight/examples/lab"
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
acl {
  enabled = %t
}
`

// startNomad starts a real Nomad of one node, with ACLs or without, and answers with
// its address and a client that may do everything.
func startNomad(t *testing.T, acls bool) (string, *api.Client) {
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
	if err := os.WriteFile(file, fmt.Appendf(nil, nomadConfig, filepath.Join(dir, "data"), ports[0], ports[1], ports[2], acls), 0o644); err != nil {
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
		if acls {
			token, _, err := client.ACLTokens().Bootstrap(nil)
			if err != nil {
				return false
			}
			client.SetSecretID(token.SecretID)
			acls = false
		}
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
	cpu, memory, kill := 20, 16, 25*time.Second
	task.KillTimeout = &kill
	task.Resources = &api.Resources{CPU: &cpu, MemoryMB: &memory}
	group := api.NewTaskGroup("model", n).AddTask(task)
	if deployed { // and being deployed for longer than a test runs
		healthy, late, over := time.Hour, 2*time.Hour, 3*time.Hour
		group.Update = &api.UpdateStrategy{MinHealthyTime: &healthy, HealthyDeadline: &late, ProgressDeadline: &over}
	} else {
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
