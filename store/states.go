package store

import (
	"encoding/json"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"greenlight/rollout"
)

// stateRecord is a state as it lies on disk: its switch is kept once, in the
// switch bucket, and named here.
type stateRecord struct {
	rollout.State
	SwitchID string `json:"switchID,omitempty"`
}

// Commit writes s, and the switch in it, in one transaction. When it returns
// without an error both survive a kill at any instruction.
func (s *Store) Commit(state rollout.State) error {
	if state.Model == "" {
		return errors.New("commit state: model has no name")
	}
	var entry *switchEntry
	record := stateRecord{State: state}
	record.Switch = nil
	if state.Switch != nil {
		var err error
		if entry, err = newSwitchEntry(state.Switch); err != nil {
			return fmt.Errorf("commit state of %s: %w", state.Model, err)
		}
		record.SwitchID = state.Switch.ID
	}
	value, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("commit state of %s: %w", state.Model, err)
	}
	err = s.writer.do(s.writer.urgent, func(tx *bolt.Tx) error {
		if entry != nil {
			if err := entry.put(tx); err != nil {
				return err
			}
		}
		return tx.Bucket(stateBucket).Put([]byte(state.Model), value)
	})
	if err != nil {
		return fmt.Errorf("commit state of %s: %w", state.Model, err)
	}
	return nil
}

// States is the last committed state of every model, each with its switch.
func (s *Store) States() (states map[string]rollout.State, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		states, err = readStates(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read states: %w", err)
	}
	return states, nil
}

func readStates(tx *bolt.Tx) (map[string]rollout.State, error) {
	states := map[string]rollout.State{}
	err := tx.Bucket(stateBucket).ForEach(func(model, value []byte) error {
		var record stateRecord
		if err := json.Unmarshal(value, &record); err != nil {
			return fmt.Errorf("state of %s: %w", model, err)
		}
		state := record.State
		if record.SwitchID != "" {
			sw, err := readSwitch(tx, record.SwitchID)
			if err != nil {
				return fmt.Errorf("state of %s: %w", model, err)
			}
			state.Switch = sw
		}
		states[string(model)] = state
		return nil
	})
	return states, err
}
