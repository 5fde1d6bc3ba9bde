package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"greenlight/rollout/record"
)

// KeepRecordings is how many switches of a model have their recordings kept: the newest.
const KeepRecordings = 20

// AppendRecording keeps a part of what a switch heard, which begins at that time. Parts
// of a switch that is not kept (any more), and what is beyond the size of a recording,
// are not kept either.
func (s *Store) AppendRecording(switchID string, at time.Time, part []byte) error {
	err := s.writer.do(s.writer.patient, func(tx *bolt.Tx) error {
		raw := tx.Bucket(switchBucket).Get([]byte(switchID))
		if raw == nil {
			return nil
		}
		size, first := sizeOfRecording(tx, []byte(switchID))
		if size+len(part) > record.MaxSize+record.MaxSize/8 { // the recorder stops earlier
			return nil
		}
		if first {
			if err := forgetOldRecordings(tx, switchID); err != nil {
				return err
			}
		}
		return tx.Bucket(recordingBucket).Put(recordingKey([]byte(switchID), at), part)
	})
	if err != nil {
		return fmt.Errorf("save recording of switch %s: %w", switchID, err)
	}
	return nil
}

// Recording is what the switch with the id heard; nil if nothing is kept of it.
func (s *Store) Recording(id string) (*record.Recording, error) {
	sw, err := s.Switch(id)
	if sw == nil || err != nil {
		return nil, err
	}
	r := &record.Recording{Switch: *sw}
	err = s.view(func(tx *bolt.Tx) error {
		return eachPart(tx, []byte(id), func(_, part []byte) error {
			entries, err := record.Unpack(part)
			if err != nil {
				return err
			}
			r.Entries = append(r.Entries, entries...)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read recording of switch %s: %w", id, err)
	}
	if len(r.Entries) == 0 {
		return nil, nil
	}
	return r, nil
}

func recordingKey(id []byte, at time.Time) []byte {
	var when [8]byte
	binary.BigEndian.PutUint64(when[:], uint64(max(0, at.UnixNano())))
	return join(id, when[:])
}

// eachPart visits the parts of a switch's recording, oldest first.
func eachPart(tx *bolt.Tx, id []byte, visit func(key, part []byte) error) error {
	prefix := join(id, nil)
	c := tx.Bucket(recordingBucket).Cursor()
	for k, part := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, part = c.Next() {
		if err := visit(k, part); err != nil {
			return err
		}
	}
	return nil
}

// sizeOfRecording is how many bytes are kept of a switch, and whether none is.
func sizeOfRecording(tx *bolt.Tx, id []byte) (size int, none bool) {
	none = true
	_ = eachPart(tx, id, func(_, part []byte) error { // it never fails
		size, none = size+len(part), false
		return nil
	})
	return size, none
}

// forgetOldRecordings makes room for one more switch of the same model.
func forgetOldRecordings(tx *bolt.Tx, newest string) error {
	sw, err := readSwitch(tx, newest)
	if err != nil {
		return err
	}
	prefix := join([]byte(sw.Model), nil)
	var ids [][]byte // oldest first
	c := tx.Bucket(byModelBucket).Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if id := k[len(prefix)+8:]; string(id) != newest {
			ids = append(ids, bytes.Clone(id))
		}
	}
	for _, id := range ids[:max(0, len(ids)-(KeepRecordings-1))] {
		if err := forgetRecording(tx, id); err != nil {
			return err
		}
	}
	return nil
}

// forgetRecording drops all that is kept of what a switch heard.
func forgetRecording(tx *bolt.Tx, id []byte) error {
	var old [][]byte // a cursor must not be used while its bucket changes
	if err := eachPart(tx, id, func(key, _ []byte) error {
		old = append(old, bytes.Clone(key))
		return nil
	}); err != nil {
		return err
	}
	for _, k := range old {
		if err := tx.Bucket(recordingBucket).Delete(k); err != nil {
			return err
		}
	}
	return nil
}
