package registry

import (
	"bytes"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the expected messages in testdata")

func TestParseGood(t *testing.T) {
	b, err := os.ReadFile("testdata/good.json")
	if err != nil {
		t.Fatal(err)
	}
	defs, err := parseAll([]text{{"good.json", b}})
	if err != nil {
		t.Fatal(err)
	}
	p := place(byMeta, defs.byName(), numeric)
	if len(p.set.Blue) != 2 || len(p.set.Green) != 1 || len(p.unplaced) != 0 {
		t.Fatalf("placed %+v, without color %q", p.set, p.unplaced)
	}
	first := p.set.Blue[0]
	if first.ID != "fraud-blue-1" || first.Address != "10.0.0.1" || first.Port != 8080 || first.Weight != 10 || first.Version != "2026-11-01" {
		t.Errorf("first is %+v", first)
	}
	if lonely := defs.byName()["lonely"]; len(lonely) != 1 || lonely[0].id != "lonely" {
		t.Errorf("the id is not the name by default: %+v", lonely)
	}
}

// TestParseBad reads every *.bad.json and compares the message with the
// *.message beside it.
func TestParseBad(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.bad.json")
	if len(files) < 15 {
		t.Fatalf("only %d bad files", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = parseAll([]text{{filepath.Base(file), b}})
			if err == nil {
				t.Fatal("was taken")
			}
			golden(t, strings.TrimSuffix(file, ".bad.json")+".message", err.Error()+"\n")
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("message is\n%swant\n%s", got, want)
	}
}

func TestParseAllTellsAllFiles(t *testing.T) {
	_, err := parseAll([]text{{"a.json", []byte(`{`)}, {"b.json", []byte(`{"services": 1}`)}})
	if got := oneLine(err); got != `a.json:1:2: the JSON ends too early; b.json:1:14: "services" must be a list` {
		t.Errorf("message %q", got)
	}
	one := `{"service": {"name": "x", "address": "10.0.0.1", "port": 1}}`
	_, err = parseAll([]text{{"a.json", []byte(one)}, {"b.json", []byte(one)}})
	if err == nil || err.Error() != `b.json:1:13: service id "x" is taken by the service at a.json:1:13; ids must differ` {
		t.Errorf("message %q", err)
	}
}

func TestChecksOfDefinitionsAreWarnedOf(t *testing.T) {
	for body, warns := range map[string]bool{
		`"check": {"http": "http://x"}`:                        true,
		`"checks": [{"ttl": "3s"}], "status": "critical"`:      false,
		`"checks": [{"ttl": "3s"}]`:                            true,
		`"enable_tag_override": false, "tagged_addresses": {}`: false,
	} {
		defs, err := parse(text{"x.json", []byte(`{"service": {"name": "x", "address": "h", "port": 1, ` + body + `}}`)})
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		defs.warnOfChecks(slog.New(slog.NewTextHandler(&log, nil)))
		if (log.Len() > 0) != warns {
			t.Errorf("%s: logged %q", body, &log)
		}
	}
}

func TestAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"10.0.0.1": true, "2001:db8::1": true, "gpu-1": true, "gpu_1.internal": true, "gpu.internal.": true, "1.gpu": true,
		"10.0.0": false, "10.0.0.256": false, "10.0.0.1:80": false, "http://x": false, "a b": false, "-a": false,
		"0.0.0.0": false, "": false, ".": false, strings.Repeat("a", 254): false, "fe80::1%lo": false, "1": false,
	} {
		if got := isAddress(address); got != want {
			t.Errorf("%q is an address: %v, want %v", address, got, want)
		}
	}
}

var placed3 = regexp.MustCompile(`^f\.json:[0-9]+:[0-9]+: `)

// FuzzFile checks that whatever bytes a file has, it is either refused with a
// place, or means services that keep every rule.
func FuzzFile(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.json")
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil {
			f.Add(b)
		}
	}
	f.Add([]byte("\x00\xff\xfe{"))
	f.Add([]byte(strings.Repeat("[", 20000)))
	f.Fuzz(func(t *testing.T, b []byte) {
		defs, err := parseAll([]text{{"f.json", b}})
		if err != nil {
			if !placed3.MatchString(err.Error()) {
				t.Fatalf("no place in %q", err)
			}
			return
		}
		ids := map[string]bool{}
		for _, d := range defs {
			in := d.instance()
			if d.Name == "" || in.id == "" || ids[in.id] || in.port < 1 || in.port > 65535 || !isAddress(in.address) ||
				in.weights.passing < 0 || in.weights.warning > maxWeight {
				t.Fatalf("took %+v", d)
			}
			ids[in.id] = true
		}
		place(byMeta, defs.byName(), numeric)
	})
}
