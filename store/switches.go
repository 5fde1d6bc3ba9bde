package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"greenlight/rollout"
)

// Keep is how many switches of a model are kept: the newest.
const Keep = 1000

// errNoSwitch says that no kept switch has the id that was asked for.
var errNoSwitch = errors.New("no such switch; it may be older than the history that is kept")

// switchEntry is a switch made ready to be written.
type switchEntry struct {
	id, key, model, value []byte
	start                 [8]byte
}

func newSwitchEntry(sw *rollout.Switch) (*switchEntry, error) {
	if sw.ID == "" || sw.Model == "" {
		return nil, errors.New("switch has no id or no model")
	}
	value, err := json.Marshal(sw)
	if err != nil {
		return nil, fmt.Errorf("switch %s: %w", sw.ID, err)
	}
	e := &switchEntry{id: []byte(sw.ID), key: []byte(sw.Key), model: []byte(sw.Model), value: value}
	e.start = startKey(sw)
	return e, nil
}

// startKey sorts as the start times do (from 1970 on).
func startKey(sw *rollout.Switch) (key [8]byte) {
	binary.BigEndian.PutUint64(key[:], uint64(max(0, sw.Started.UnixNano())))
	return key
}

// put writes the switch, and its indexes when it is new.
func (e *switchEntry) put(tx *bolt.Tx) error {
	switches := tx.Bucket(switchBucket)
	known := switches.Get(e.id) != nil
	if err := switches.Put(e.id, e.value); err != nil || known {
		return err
	}
	byTime := append(e.start[:], e.id...)
	if err := tx.Bucket(byTimeBucket).Put(byTime, nil); err != nil {
		return err
	}
	if err := tx.Bucket(byModelBucket).Put(join(e.model, byTime), nil); err != nil {
		return err
	}
	if len(e.key) > 0 {
		if err := tx.Bucket(byKeyBucket).Put(join(e.model, e.key), e.id); err != nil {
			return err
		}
	}
	return e.forgetOldest(tx)
}

// forgetOldest drops what the model has beyond Keep, but never the switch that
// is written now, however its clock stood.
func (e *switchEntry) forgetOldest(tx *bolt.Tx) error {
	prefix := join(e.model, nil)
	count := 0
	c := tx.Bucket(byModelBucket).Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		count++
	}
	var old [][]byte // a cursor must not be used while its bucket changes
	k, _ := c.Seek(prefix)
	for ; count > Keep; count-- {
		if !bytes.Equal(k[len(prefix)+8:], e.id) {
			old = append(old, bytes.Clone(k))
		}
		k, _ = c.Next()
	}
	for _, k := range old {
		if err := forget(tx, k, len(prefix)); err != nil {
			return err
		}
	}
	return nil
}

// forget drops the switch at key k of the model index, whose model part has n bytes.
func forget(tx *bolt.Tx, k []byte, n int) error {
	id := k[n+8:]
	sw, err := readSwitch(tx, string(id))
	if err != nil {
		return err
	}
	err = errors.Join(
		tx.Bucket(byModelBucket).Delete(k),
		tx.Bucket(byTimeBucket).Delete(k[n:]),
		tx.Bucket(switchBucket).Delete(id),
		forgetReport(tx, id),
		forgetRecording(tx, id),
	)
	// The key may have been given to a later switch after this one.
	byKey, key := tx.Bucket(byKeyBucket), join([]byte(sw.Model), []byte(sw.Key))
	if sw.Key != "" && bytes.Equal(byKey.Get(key), id) {
		err = errors.Join(err, byKey.Delete(key))
	}
	return err
}

// Switch finds a switch by its id; nil if none that is kept has it.
func (s *Store) Switch(id string) (sw *rollout.Switch, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		sw, err = readSwitch(tx, id)
		return err
	})
	if errors.Is(err, errNoSwitch) {
		return nil, nil
	}
	return sw, err
}

// SwitchByKey finds the switch that was started with an idempotency key; nil
// if none was.
func (s *Store) SwitchByKey(model, key string) (sw *rollout.Switch, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		id := tx.Bucket(byKeyBucket).Get(join([]byte(model), []byte(key)))
		if id == nil {
			return nil
		}
		sw, err = readSwitch(tx, string(id))
		return err
	})
	return sw, err
}

// Switches lists a model's switches, or all models' if model is empty, newest
// first: at most limit, beginning after the switch whose id is before (from
// the newest if before is empty).
func (s *Store) Switches(model string, limit int, before string) (list []rollout.Switch, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		from, err := bound(tx, model, before)
		if err != nil {
			return err
		}
		list, err = listSwitches(tx, model, limit, from)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list switches: %w", err)
	}
	return list, nil
}

// bound is the index key that the listing stays below.
func bound(tx *bolt.Tx, model, before string) ([]byte, error) {
	end := bytes.Repeat([]byte{0xff}, 9)
	if before != "" {
		sw, err := readSwitch(tx, before)
		if err != nil {
			return nil, err
		}
		start := startKey(sw)
		end = append(start[:], sw.ID...)
	}
	if model == "" {
		return end, nil
	}
	return join([]byte(model), end), nil
}

func listSwitches(tx *bolt.Tx, model string, limit int, below []byte) ([]rollout.Switch, error) {
	index, prefix := tx.Bucket(byTimeBucket), []byte(nil)
	if model != "" {
		index, prefix = tx.Bucket(byModelBucket), join([]byte(model), nil)
	}
	var list []rollout.Switch
	c := index.Cursor()
	k, _ := c.Seek(below)
	if k == nil {
		k, _ = c.Last()
	} else {
		k, _ = c.Prev()
	}
	for ; len(list) < limit && k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
		sw, err := readSwitch(tx, string(k[len(prefix)+8:]))
		if err != nil {
			return nil, err
		}
		list = append(list, *sw)
	}
	return list, nil
}

func readSwitch(tx *bolt.Tx, id string) (*rollout.Switch, error) {
	value := tx.Bucket(switchBucket).Get([]byte(id))
	if value == nil {
		return nil, fmt.Errorf("read switch %q: %w", id, errNoSwitch)
	}
	sw := &rollout.Switch{}
	if err := json.Unmarshal(value, sw); err != nil {
		return nil, fmt.Errorf("read switch %q: %w", id, err)
	}
	return sw, nil
}

// join sets a name apart from what follows; names hold no zero byte.
func join(name, rest []byte) []byte {
	out := make([]byte, 0, len(name)+1+len(rest))
	return append(append(append(out, name...), 0), rest...)
}
