package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"greenlight/rollout"
	"greenlight/store"
)

// refuses opens path and asks for an error that says all of words.
func refuses(t *testing.T, path string, words ...string) {
	t.Helper()
	s, err := store.Open(path)
	if err == nil {
		s.Close()
		t.Fatal("it was opened")
	}
	for _, w := range append(words, path) {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q is missing in: %v", w, err)
		}
	}
}

func TestOpenMakesFolderAndFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "greenlight.db")
	open(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestOpenRefusesAFileInUse(t *testing.T) {
	path := journal(t)
	open(t, path)
	refuses(t, path, "in use by another greenlight")
}

func TestOpenRefusesFilesThatAreNoJournal(t *testing.T) {
	for name, content := range map[string]string{
		"text":  "apiVersion: greenlight/v1\n",
		"zeros": strings.Repeat("\x00", 1<<16),
		"noise": strings.Repeat("\xde\xad\xbe\xef", 1<<14),
	} {
		t.Run(name, func(t *testing.T) {
			path := journal(t)
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			refuses(t, path, "damaged or not a journal", "move it away")
			if after, err := os.ReadFile(path); err != nil || string(after) != content {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

func TestOpenRefusesAFolder(t *testing.T) { refuses(t, t.TempDir(), "open journal") }

func edit(t *testing.T, path string, change func(tx *bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(change); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefusesForeignBolt(t *testing.T) {
	path := journal(t)
	edit(t, path, func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket([]byte("photos"))
		return err
	})
	refuses(t, path, "of another program")
}

func TestOpenRefusesAnotherFormat(t *testing.T) {
	path := journal(t)
	open(t, path).Close()
	edit(t, path, func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte("format"), []byte("greenlight/9"))
	})
	refuses(t, path, `"greenlight/9"`, `"greenlight/1"`)
}

func TestOpenFindsDamage(t *testing.T) {
	for name, change := range map[string]func(tx *bolt.Tx) error{
		"a state that is no JSON": func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("states")).Put([]byte("fraud"), []byte("{"))
		},
		"a state whose switch is gone": func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("switches")).Delete([]byte("fraud-000001"))
		},
		"a bucket that is gone": func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("by-time")) },
	} {
		t.Run(name, func(t *testing.T) {
			path := journal(t)
			s := open(t, path)
			commit(t, s, state("fraud", 1))
			s.Close()
			edit(t, path, change)
			refuses(t, path, "damaged")
		})
	}
}

// However a journal was cut or overwritten, Open answers with an error or with
// a journal that can be read; it never takes the process down, then or later.
func TestOpenSurvivesCutAndOverwrittenFiles(t *testing.T) {
	path := journal(t)
	s := open(t, path)
	for n := range 40 {
		commit(t, s, state("fraud", n))
		save(t, s, fmt.Sprintf("fraud-%06d", n), "validate", measured("golden", "", 0))
	}
	s.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(content []byte) {
		path := journal(t)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(path)
		if err != nil {
			return
		}
		defer s.Close()
		if _, err := s.States(); err != nil {
			t.Errorf("opened, but: %v", err)
		}
		// The rest may be damaged; what counts is that these return.
		_, _ = s.Switches("", 100, "")
		_, _ = s.Report("fraud-000001")
		_ = s.SaveVerdicts("fraud-000001", "bake", []rollout.Verdict{measured("golden", "", 0)})
		_ = s.Commit(state("fraud", 41))
	}
	page := os.Getpagesize()
	for end := page; end < len(whole); end += page {
		try(whole[:end])
	}
	for at := 0; at < len(whole); at += page {
		broken := append([]byte(nil), whole...)
		for i := range page {
			broken[at+i] = 0xa5
		}
		try(broken)
	}
}
