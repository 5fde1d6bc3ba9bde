package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// dependent is a model that depends on others.
func dependent(name string, on ...string) string {
	return model(name, name+".example") + "  dependsOn: [" + strings.Join(on, ", ") + "]\n"
}

func TestDependenciesHaveToBeThereAndGoOneWay(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", dependent("a", "b"))
	f.write("b.yaml", dependent("b", "c"))
	f.write("c.yaml", model("c", "c.example"))
	f.clean()

	f.write("c.yaml", dependent("c", "a"))
	f.merge()
	e := f.set.Models["c"]
	if e.Model == nil || len(e.Model.DependsOn) > 0 || !strings.Contains(e.Problem, "model c depends on itself: c → a → b → c; remove one of these [cycle]") {
		t.Errorf("c: %+v", e)
	}
	if f.set.Models["a"].Problem != "" || f.set.Models["b"].Problem != "" {
		t.Errorf("those who were there first are told off: %+v", f.set.Problems)
	}

	f.write("c.yaml", dependent("c", "bb"))
	f.merge()
	if e := f.set.Models["c"]; len(e.Model.DependsOn) > 0 || !strings.Contains(e.Problem, "depends on bb, which no policy describes (did you mean b?); write its policy, or remove it [unknown-model]") {
		t.Errorf("c: %+v", e)
	}
}

// Who waited for a model that was removed would go on as if it had never been asked to.
func TestARemovedModelIsMissedByWhoDependsOnIt(t *testing.T) {
	f := newFolder(t)
	f.allow = true
	f.write("ranker.yaml", dependent("ranker", "embedder"))
	f.write("embedder.yaml", model("embedder", "embedder.example"))
	f.commit("1")
	f.remove("embedder.yaml")
	const says = "ranker depends on embedder, which no policy describes"
	if o := f.commit("2").Origin; o.Commit.ID != "1" || !strings.Contains(o.Problem, says) || f.set.Models["embedder"].Model == nil {
		t.Errorf("as a commit: %+v, %v", o, f.set.Models)
	}
	f.merge()
	if e := f.set.Models["ranker"]; e.Model == nil || !strings.Contains(e.Problem, says) || len(f.set.Problems) != 1 {
		t.Errorf("in a folder: %+v, %v", e, f.set.Problems)
	}
	f.write("ranker.yaml", model("ranker", "ranker.example"))
	f.clean()
}

// Of a cycle that is new as a whole nothing comes in force.
func TestANewCycleIsRefused(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", dependent("a", "b"))
	f.write("b.yaml", dependent("b", "a"))
	f.merge()
	for name, e := range f.set.Models {
		if e.Model != nil || !strings.Contains(e.Problem, "depends on") {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// Ways that part and meet again are looked at once: else thirty steps of them would
// keep the server from reading policies for hours.
func TestManyWaysAreNotWalkedOneByOne(t *testing.T) {
	const steps = 30
	f := newFolder(t)
	name := func(side string, step int) string { return fmt.Sprintf("%s%d", side, step) }
	for i := range steps {
		for _, side := range []string{"a", "b"} {
			f.write(name(side, i)+".yaml", dependent(name(side, i), name("a", i+1), name("b", i+1)))
		}
	}
	f.write("last.yaml", model(name("a", steps), "a.example")+"---\n"+model(name("b", steps), "b.example"))
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.merge()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("the policies are still being read")
	}
	f.clean()
}
