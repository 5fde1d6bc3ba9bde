package retire

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"

	"greenlight/policy"
	"greenlight/rollout"
)

func nomadWish(address string) rollout.LetGo {
	return rollout.LetGo{
		Key: "s1", SwitchID: "s1", Color: policy.Blue, Instances: []rollout.Endpoint{{ID: "b1"}, {ID: "b2"}},
		How: policy.Retire{Nomad: &policy.NomadRetire{
			Address: address, Group: "model", Jobs: map[policy.Color]string{policy.Blue: "fraud-blue", policy.Green: "fraud-green"},
		}},
	}
}

// scalings is how a job was scaled, newest first.
func scalings(t *testing.T, client *api.Client, job string) []api.ScalingEvent {
	t.Helper()
	status, _, err := client.Jobs().ScaleStatus(job, nil)
	if err != nil {
		t.Fatal(err)
	}
	return status.TaskGroups["model"].Events
}

// The old color's job has no instance any more when LetGo returns; the other color's
// job stays, and asking again changes nothing.
func TestNomadJobIsScaled(t *testing.T) {
	address, client := startNomad(t, false)
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
	events := scalings(t, client, "fraud-blue")
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

// To let go never scales up and to bring back never scales down; what is so already is
// left as it is, and so is a job that somebody has stopped.
func TestNomadJobIsScaledOneWayOnly(t *testing.T) {
	address, client := startNomad(t, false)
	runJob(t, client, "fraud-blue", 3, false, "/bin/sleep", "600")
	r := New(Options{})
	w := nomadWish(address)
	for _, step := range []struct {
		restore           bool
		left, want, scale int // instances that run then, and how often the job was scaled
	}{
		{false, 5, 3, 0}, {false, 1, 1, 1}, {false, 1, 1, 1}, {false, 2, 1, 1},
		{true, 1, 3, 2}, {true, 1, 3, 2}, {true, 0, 3, 2},
	} {
		w.Restore, w.Left = step.restore, step.left
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		err := r.LetGo(ctx, "fraud", w)
		cancel()
		if n := running(t, client, "fraud-blue"); err != nil || n != step.want {
			t.Fatalf("%+v: %d run, %v", step, n, err)
		}
		if events := scalings(t, client, "fraud-blue"); len(events) != step.scale {
			t.Fatalf("%+v: scaled %d times", step, len(events))
		}
	}
	if events := scalings(t, client, "fraud-blue"); !strings.Contains(events[0].Message, "switch s1 of fraud wants blue back") || events[0].Meta["greenlight.key"] != "s1" {
		t.Errorf("events %+v", events)
	}
	if _, _, err := client.Jobs().Deregister("fraud-blue", false, nil); err != nil {
		t.Fatal(err)
	}
	w.Restore, w.Left = false, 0
	if err := r.LetGo(t.Context(), "fraud", w); err != nil || running(t, client, "fraud-blue") != 0 || len(scalings(t, client, "fraud-blue")) != 2 {
		t.Errorf("a stopped job: %v", err)
	}
	w.Restore = true
	if err := r.LetGo(t.Context(), "fraud", w); err == nil || !strings.Contains(err.Error(), "nomad job fraud-blue is stopped") {
		t.Errorf("a stopped job: %v", err)
	}
}

// Which capabilities it takes, and what is said without them.
func TestNomadNeedsRights(t *testing.T) {
	address, client := startNomad(t, true)
	runJob(t, client, "fraud-blue", 1, false, "/bin/sleep", "600")
	token := func(capabilities ...string) string {
		name := strings.Join(capabilities, "-")
		rules := `namespace "default" { capabilities = ["` + strings.Join(capabilities, `", "`) + `"] }`
		if _, err := client.ACLPolicies().Upsert(&api.ACLPolicy{Name: name, Rules: rules}, nil); err != nil {
			t.Fatal(err)
		}
		var made struct{ SecretID string }
		// As text: api.ACLToken is not what older Nomads take.
		if _, err := client.Raw().Write("/v1/acl/token", map[string]any{"Type": "client", "Policies": []string{name}}, &made, nil); err != nil {
			t.Fatal(err)
		}
		return made.SecretID
	}
	r := New(Options{Secret: func(s policy.Secret) (string, error) { return s.Env, nil }})
	with := func(token string) error {
		w := nomadWish(address)
		w.How.Nomad.Token = &policy.Secret{Env: token}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		return r.LetGo(ctx, "fraud", w)
	}
	if err := r.LetGo(t.Context(), "fraud", nomadWish(address)); err == nil || !strings.Contains(err.Error(), "look at nomad job fraud-blue: permission denied; retire.nomad.token needs") {
		t.Errorf("without a token: %v", err)
	}
	if err := with(token("read-job")); err == nil || !strings.Contains(err.Error(), "scale nomad job fraud-blue: permission denied") {
		t.Errorf("without scale-job: %v", err)
	}
	if n := running(t, client, "fraud-blue"); n != 1 {
		t.Fatalf("%d run", n)
	}
	if err := with(token("scale-job", "read-job")); err != nil || running(t, client, "fraud-blue") != 0 {
		t.Errorf("with both: %v", err)
	}
	if err := with(token("scale-job", "read-job-scaling")); err == nil || !strings.Contains(err.Error(), "look at nomad job fraud-blue: permission denied") {
		t.Errorf("without read-job: %v", err)
	}
}

// Instances that are slow to stop are waited for; when that takes too long, the answer
// says how many still run.
func TestNomadIsWaitedFor(t *testing.T) {
	address, client := startNomad(t, false)
	end := filepath.Join(t.TempDir(), "end") // what it waits for before it stops
	runJob(t, client, "fraud-blue", 1, false, "/bin/sh", "-c", "trap '' INT TERM; while [ ! -e "+end+" ]; do sleep 0.1; done")
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
	defer cancel()
	err := New(Options{}).LetGo(ctx, "fraud", nomadWish(address))
	if err == nil || !strings.Contains(err.Error(), "1 instances still run, 0 should") {
		t.Fatalf("%v", err)
	}
	if err := os.WriteFile(end, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	again, cancelAgain := context.WithTimeout(t.Context(), time.Minute)
	defer cancelAgain()
	if err := New(Options{}).LetGo(again, "fraud", nomadWish(address)); err != nil {
		t.Error(err)
	}
}
