package policy_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
)

func defaultsOf(spec string) string {
	return "apiVersion: greenlight/v1\nkind: Defaults\nspec: " + spec + "\n"
}

func heir(name, spec string) string {
	return fmt.Sprintf("apiVersion: greenlight/v1\nkind: Model\nmetadata: {name: %s}\nspec: %s\n", name, spec)
}

func (f *folder) model(name string) *policy.Model {
	f.t.Helper()
	m := f.set.Models[name].Model
	if m == nil {
		f.t.Fatalf("%s is not in force: %+v", name, f.set.Models[name])
	}
	return m
}

func TestNearerDefaultsCountMore(t *testing.T) {
	f := newFolder(t)
	f.write("z.yaml", defaultsOf(`{discovery: {service: "${model}"}, route: {fleets: [edge], timeout: 1s, connectTimeout: 2s, retries: {attempts: 7}}, bake: {for: 1m}}`))
	f.write("team/any.yml", heir("first", `{bake: {every: 1s}}`)+"---\n"+defaultsOf(`{route: {fleets: [inner], timeout: 3s, retries: null}, bake: {for: 2m}}`))
	f.write("team/deep/a.yaml", heir("second", `{route: {timeout: 4s}, bake: null}`))
	f.write("other/b.yaml", heir("third", `{}`))
	f.clean()
	for name, want := range map[string]string{
		"first":  "first [inner] 3s 2s 2 2m0s 1s",
		"second": "second [inner] 4s 2s 2 30m0s 10s",
		"third":  "third [edge] 1s 2s 7 1m0s 10s",
	} {
		m := f.model(name)
		got := fmt.Sprint(m.Discovery.Service, m.Route.Fleets, m.Route.Timeout, m.Route.ConnectTimeout, m.Route.Retries.Attempts, m.Bake.For, m.Bake.Every)
		if got = strings.Replace(got, "[", " [", 1); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got, want := fmt.Sprint(f.model("second").Source.Defaults), fmt.Sprint([]string{filepath.Join(f.dir, "z.yaml"), filepath.Join(f.dir, "team/any.yml")}); got != want {
		t.Errorf("second inherits %s, want %s", got, want)
	}
}

// What excludes each other is not mixed: the nearer way counts.
func TestTheNearerWayCounts(t *testing.T) {
	for _, c := range []struct{ far, near, want string }{
		{`discovery: {service: s, color: {tag: true}}`, `discovery: {blue: {service: a}, green: {service: b}}`, `discovery: {blue: {service: a}, green: {service: b}}`},
		{`discovery: {blue: {service: a}, green: {service: b}}`, `discovery: {service: s}`, `discovery: {service: s}`},
		{`discovery: {service: s, color: {tag: true}}`, `discovery: {color: {meta: c}}`, `discovery: {service: s, color: {meta: c}}`},
		{`discovery: {service: s, color: {meta: c}}`, `discovery: {color: {tag: false}}`, `discovery: {service: s, color: {meta: c}}`},
		{`discovery: {service: s}, route: {preview: {header: h, token: {env: GREENLIGHT_SECRET_A}}}`, `route: {preview: {off: true}}`, `discovery: {service: s}, route: {preview: {off: true}}`},
		{`discovery: {service: s}, route: {preview: {off: true}}`, `route: {preview: {cookie: c}}`, `discovery: {service: s}, route: {preview: {cookie: c}}`},
		{`discovery: {service: s}, route: {preview: {token: {env: GREENLIGHT_SECRET_A}}}`, `route: {preview: {token: {file: a}}}`, `discovery: {service: s}, route: {preview: {token: {file: a}}}`},
		{`discovery: {service: s}, route: {sticky: {header: h}}`, `route: {sticky: {cookie: {name: c}}}`, `discovery: {service: s}, route: {sticky: {cookie: {name: c}}}`},
		{`discovery: {service: s}, shift: {linear: {by: 10%, every: 1m}, checkEvery: 1m}`, `shift: {canary: {hold: 2m}}`, `discovery: {service: s}, shift: {canary: {hold: 2m}, checkEvery: 1m}`},
		{`discovery: {service: s}, shift: {linear: {by: 10%, every: 1m}}`, `shift: {linear: {by: 20%}}`, `discovery: {service: s}, shift: {linear: {by: 20%, every: 1m}}`},
		{`discovery: {service: s}, shift: {canary: {}, checks: [ready: {path: /}]}`, `shift: {instant: true}`, `discovery: {service: s}, shift: {instant: true}`},
		{`discovery: {service: s}, judge: {off: true}`, `judge: {minRequests: 5}`, `discovery: {service: s}, judge: {minRequests: 5}`},
		{`discovery: {service: s}, judge: {p99: <1s, errors: {tolerate: 2}}`, `judge: {off: true}`, `discovery: {service: s}, judge: {off: true}`},
		{`discovery: {service: s}, judge: {errors: {tolerate: 2}}`, `judge: {errors: {relative: false}}`, `discovery: {service: s}, judge: {errors: {relative: false}}`},
		{`discovery: {service: s}, retire: {after: 1h, webhook: "http://w", secret: {env: GREENLIGHT_SECRET_A}}`, `retire: {consul: {port: 1}}`, `discovery: {service: s}, retire: {after: 1h, consul: {port: 1}}`},
		{`discovery: {service: s}, retire: {webhook: "http://w", secret: {env: GREENLIGHT_SECRET_A}}`, `retire: {off: true}`, `discovery: {service: s}, retire: {off: true}`},
		{`discovery: {service: s}, retire: {webhook: "http://w", secret: {env: GREENLIGHT_SECRET_A}}`, `retire: {secret: {file: b}}`, `discovery: {service: s}, retire: {webhook: "http://w", secret: {file: b}}`},
		{`discovery: {service: s}, retire: {off: true}`, `retire: {after: 1h}`, `discovery: {service: s}, retire: {after: 1h}`},
		{`discovery: {service: s}, retire: {off: true}`, `retire: {off: false}`, `discovery: {service: s}`},
		{`discovery: {service: s}, predict: {protocol: mlflow, format: records, batch: 2, columns: [a]}`, `predict: {protocol: tensorflow-serving}`, `discovery: {service: s}, predict: {protocol: tensorflow-serving, columns: [a]}`},
		{`discovery: {service: s}, predict: {protocol: mlflow, path: /p}`, `predict: {protocol: mlflow}`, `discovery: {service: s}, predict: {protocol: mlflow, path: /p}`},
		{`discovery: {service: s}, predict: {protocol: mlflow, format: inputs, inputs: [{name: a}]}`, `predict: {format: split}`, `discovery: {service: s}, predict: {protocol: mlflow}`},
		{`discovery: {service: s}, live: {version: a}`, `live: blue`, `discovery: {service: s}, live: blue`},
		{`discovery: {service: s}, live: {version: a}`, `live: {color: blue}`, `discovery: {service: s}, live: blue`},
		{`discovery: {service: s}, approve: {before: shift, by: [a], count: 2}`, `approve: {before: shift, by: [b]}`, `discovery: {service: s}, approve: {before: shift, by: [b]}`},
		{`discovery: {service: s}, calendar: {zone: UTC, windows: [{days: sat}]}`, `calendar: {freeze: [{days: sun, reason: r}]}`, `discovery: {service: s}, calendar: {zone: UTC, windows: [{days: sat}], freeze: [{days: sun, reason: r}]}`},
		{`discovery: {service: s}, validate: [ready: {path: /}]`, `validate: [endpoints: {min: 2}]`, `discovery: {service: s}, validate: [endpoints: {min: 2}]`},
	} {
		far := defaultsOf("{" + c.far + "}")
		base := defaultsOf("{route: {fleets: [edge]}}")
		f := newFolder(t)
		f.write("a.yaml", base)
		f.write("b/far.yaml", far)
		f.write("b/c/near.yaml", heir("m", "{"+c.near+"}"))
		f.write("want.yaml", heir("m2", "{"+c.want+"}"))
		r := policy.Read(f.dir)
		if len(r.Problems) > 0 || len(r.Models()) != 2 {
			t.Fatalf("%s over %s: %v", c.near, c.far, r.Problems)
		}
		if got, want := said(t, r.Models()[0]), said(t, r.Models()[1]); got != want {
			t.Errorf("%s over %s is\n%s\nwant\n%s", c.near, c.far, got, want)
		}
	}
}

// Where the ways belong to two sections nobody can tell which is meant.
func TestSectionsThatContradictEachOtherAreTold(t *testing.T) {
	f := newFolder(t)
	f.write("defaults.yaml", defaultsOf(`{discovery: {service: s}, route: {fleets: [edge]}, shadow: {percent: 1%}, retire: {webhook: "http://w"}}`))
	f.write("a.yaml", heir("a", `{shift: {rolling: {}}}`))
	f.merge()
	f.stands("a", "", "defaults.yaml:3:", "shadow mirrors")
	f.write("a.yaml", heir("a", `{shift: {rolling: {}}, shadow: null}`))
	f.clean()
}

func TestHashFollowsWhatIsInherited(t *testing.T) {
	f := newFolder(t)
	f.write("cases.jsonl", "")
	f.write("team/cases.jsonl", "")
	f.write("defaults.yaml", defaultsOf(`{discovery: {service: s}, route: {fleets: [edge]}}`))
	f.write("team/defaults.yaml", defaultsOf(`{bake: {for: 1h}}`))
	f.write("other/defaults.yaml", defaultsOf(`{bake: {for: 1h}}`))
	f.write("team/a.yaml", heir("a", `{}`))
	hash := func() string {
		f.clean()
		return f.model("a").Source.Hash
	}
	last := hash()
	for _, same := range []func(){
		func() { f.write("other/defaults.yaml", defaultsOf(`{bake: {for: 2h}}`)) },
		func() { f.write("other/more/defaults.yaml", defaultsOf(`{bake: {for: 3h}}`)) },
		func() { f.write("team/below/defaults.yaml", defaultsOf(`{bake: {for: 3h}}`)) },
		func() {
			f.write("defaults.yaml", "# A word\n"+defaultsOf(`{discovery: {service: s}, route: {fleets: [edge]}}`))
		},
		func() {
			f.remove("team/defaults.yaml")
			f.write("team/z.yml", defaultsOf(`{bake: {for: 1h}}`))
		},
	} {
		if same(); hash() != last {
			t.Error("an unrelated change gives another hash")
		}
	}
	for i, other := range []func(){
		func() { f.write("defaults.yaml", defaultsOf(`{discovery: {service: t}, route: {fleets: [edge]}}`)) },
		func() { f.write("team/z.yml", defaultsOf(`{bake: {for: 2h}}`)) },
		func() { f.write("team/a.yaml", heir("a", `{bake: {every: 1s}}`)) },
		func() { f.write("team/z.yml", defaultsOf(`{validate: [golden: {file: ../cases.jsonl}]}`)) },
	} {
		if other(); hash() == last {
			t.Errorf("change %d leaves the hash", i)
		}
		last = hash()
	}
}

func TestFilesOfDefaultsAreRelativeToThem(t *testing.T) {
	f := newFolder(t)
	f.write("cases.jsonl", "")
	f.write("defaults.yaml", defaultsOf(`{discovery: {service: s}, route: {fleets: [edge]}, validate: [golden: {file: cases.jsonl}]}`))
	f.write("team/a.yaml", heir("a", `{}`))
	f.clean()
	if got, want := f.model("a").Validate[1].Golden.File, filepath.Join(f.dir, "cases.jsonl"); got != want {
		t.Errorf("the file is %s, want %s", got, want)
	}
	f.write("team/defaults.yaml", defaultsOf(`{validate: [golden: {file: ../../cases.jsonl}]}`))
	f.merge()
	f.stands("a", "a", "team/defaults.yaml:3:", "file-outside", "the last good policy stands")
	f.write("team/defaults.yaml", defaultsOf(`{validate: [golden: {file: "${model}.jsonl"}]}`))
	f.write("team/a.jsonl", "")
	f.clean()
}

func TestBrokenDefaultsLeaveTheLastGoodPolicies(t *testing.T) {
	const good = `{discovery: {service: s}, route: {fleets: [edge], hosts: ["${model}.x"]}}`
	for name, text := range map[string]string{
		"an unknown key":    defaultsOf(`{discovery: {service: s}, baake: {}}`),
		"a wrong type":      defaultsOf(`{route: {fleets: edge}}`),
		"a bad value":       defaultsOf(`{discovery: {service: s}, route: {fleets: ["!"]}}`),
		"syntax":            defaultsOf(`{discovery: [`),
		"syntax of JSON":    `{"apiVersion": "greenlight/v1", "kind": "Defaults", "spec": [}`,
		"not text":          "\x00",
		"a second document": defaultsOf(good) + "---\n" + defaultsOf(`{}`),
		"no list":           strings.Replace(defaultsOf(`{}`), "{}", "[]", 1),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.write("defaults.yaml", defaultsOf(good))
			f.write("team/a.yaml", heir("a", `{}`))
			f.write("team/b.yaml", heir("b", `{}`))
			f.clean()
			f.allow = true // is no excuse here
			f.write("defaults.yaml", text)
			f.write("team/a.yaml", heir("a", `{bake: {for: 1m}}`))
			f.merge()
			f.stands("a", "a.x", "defaults.yaml", "the last good policy stands")
			f.stands("b", "b.x", "defaults.yaml", "the last good policy stands")
			if f.model("a").Bake.For == time.Minute {
				t.Error("half of a policy is in force")
			}
			f.write("defaults.yaml", defaultsOf(good))
			f.clean()
		})
	}
}

// At a first start, too, nobody is put in force without what it inherits.
func TestBrokenDefaultsAtTheFirstStart(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", model("a", "a"))
	f.write("defaults.yaml", defaultsOf(`{rollback: {automatic: false}`))
	f.merge()
	f.stands("a", "", "defaults.yaml:3:", "yaml-syntax")
}

func TestVanishedDefaultsLeaveTheLastGoodPolicies(t *testing.T) {
	f := newFolder(t)
	f.write("defaults.yaml", defaultsOf(`{bake: {for: 1m}}`))
	f.write("team/a.yaml", model("a", "a"))
	f.write("b.yaml", model("b", "b"))
	f.clean()
	f.remove("defaults.yaml")
	f.write("new.yaml", model("new", "new"))
	f.merge()
	f.stands("a", "a", "defaults.yaml, which gave defaults to its folder, is gone; the last good policy stands", "spec: {}")
	f.stands("b", "b", "policy-gone")
	f.stands("new", "new")
	if len(f.set.Problems) != 1 || !strings.Contains(f.set.Problems[0].Message, "(models a and b)") {
		t.Errorf("problems %v, want one", f.set.Problems)
	}
	if f.model("a").Bake.For != time.Minute {
		t.Error("the last good policy does not stand")
	}
	f.write("else.yaml", defaultsOf(`{bake: {for: 2m}}`))
	f.clean()
	f.write("else.yaml", defaultsOf(`{}`))
	f.clean()
	f.write("else.yaml", defaultsOf(`{bake: {for: 3m}}`))
	f.clean()
	f.remove("else.yaml")
	f.write("broken.yaml", "a: [")
	f.allow = true
	f.merge()
	f.stands("a", "a", "once the broken files are mended")
	f.remove("broken.yaml")
	f.clean()
	if f.model("a").Bake.For != 30*time.Minute || f.model("a").Source.Defaults != nil {
		t.Errorf("the removed defaults are still in force: %+v", f.model("a"))
	}
}

// Defaults may move to another folder, or into the models, as long as that changes
// nothing.
func TestDefaultsThatMoveUnchanged(t *testing.T) {
	f := newFolder(t)
	f.write("team/defaults.yaml", defaultsOf(`{bake: {for: 1m}}`))
	f.write("team/a.yaml", model("a", "a"))
	f.clean()
	f.remove("team/defaults.yaml")
	f.write("defaults.yaml", defaultsOf(`{bake: {for: 1m}}`))
	f.clean()
	f.remove("defaults.yaml")
	f.write("team/a.yaml", model("a", "a")+"  bake: {for: 1m}\n")
	f.clean()
	if f.model("a").Source.Defaults != nil {
		t.Errorf("the source is %+v", f.model("a").Source)
	}
}

// Who moves a model away means it.
func TestAModelMovesOutOfItsDefaults(t *testing.T) {
	f := newFolder(t)
	f.write("team/defaults.yaml", defaultsOf(`{bake: {for: 1m}}`))
	f.write("team/a.yaml", model("a", "a"))
	f.clean()
	f.remove("team")
	f.write("a.yaml", model("a", "a"))
	f.clean()
	if f.model("a").Bake.For != 30*time.Minute {
		t.Error("what it left is still in force")
	}
}

// One mistake in Defaults is one problem, however many models inherit it.
func TestAnInheritedProblemIsToldOnce(t *testing.T) {
	f := newFolder(t)
	f.write("defaults.yaml", defaultsOf(`{discovery: {service: "${model}"}, route: {fleets: [edge], prefix: "${model}"}}`))
	var all strings.Builder
	for i := range 20 {
		all.WriteString(heir(fmt.Sprintf("m%02d", i), `{}`) + "---\n")
	}
	f.write("all.yaml", all.String())
	f.merge()
	if len(f.set.Problems) != 1 || !strings.HasSuffix(f.set.Problems[0].Message, "route.prefix = m00; a path begins with / (models m00, m01, m02 and 17 more)") {
		t.Errorf("problems %v, want one", f.set.Problems)
	}
	f.stands("m07", "", "defaults.yaml:3:", "route.prefix = m07")
}

// So is what is doubtful, at the place that says it.
func TestAnInheritedWarningIsToldOnce(t *testing.T) {
	f := newFolder(t)
	f.write("defaults.yaml", defaultsOf(`{discovery: {service: "${model}"}, route: {fleets: [edge]}, bake: {for: 1s}}`))
	f.write("all.yaml", heir("b", `{}`)+"---\n"+heir("a", `{}`)+"---\n"+heir("c", `{bake: {for: 1h}}`))
	f.merge()
	if w := f.set.Warnings; len(w) != 1 || !strings.HasPrefix(w[0].String(), filepath.Join(f.dir, "defaults.yaml:3:")) || !strings.HasSuffix(w[0].Message, "(models a and b)") {
		t.Errorf("warnings %v, want one", w)
	}
}

// A file that is linted by itself inherits what its folder gives.
func TestLintOfAFileWithDefaults(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", heir("a", `{}`))
	f.write("defaults.yaml", model("other", "o")+"  bakee: {}\n---\n"+defaultsOf(`{discovery: {service: s}, route: {fleets: [edge]}}`))
	at := filepath.Join(f.dir, "a.yaml")
	if problems := policy.Lint([]string{at}); len(problems) > 0 {
		t.Error(problems)
	}
	f.write("defaults.yaml", defaultsOf(`{discovery: {service: "!"}, route: {fleets: [edge]}}`))
	f.write("b.yaml", heir("b", `{}`))
	problems := policy.Lint([]string{at, filepath.Join(f.dir, "b.yaml")})
	if len(problems) != 1 || !strings.Contains(problems[0].String(), "defaults.yaml:3:") || !strings.Contains(problems[0].Message, "(models a and b)") {
		t.Error(problems)
	}
	f.write("defaults.yaml", "kind: Defaults\nspec: [")
	if problems := policy.Lint([]string{at}); len(problems) != 1 || problems[0].Rule != policy.RuleSyntax {
		t.Error(problems)
	}
}
