package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"greenlight/policy"
	"greenlight/rollout"
)

// SaveEndpoints keeps a model's last good registry answer. A set with a
// Problem is an old answer and is not kept.
func (s *Store) SaveEndpoints(model string, set rollout.EndpointSet) error {
	if set.Problem != "" {
		return nil
	}
	return put(s, endpointsBucket, []byte(model), set)
}

// Endpoints is the last good registry answer of every model.
func (s *Store) Endpoints() (map[string]rollout.EndpointSet, error) {
	return all[rollout.EndpointSet](s, endpointsBucket)
}

// SavePolicy keeps a model's last policy that was read without an error.
func (s *Store) SavePolicy(m *policy.Model) error {
	return put(s, policyBucket, []byte(m.Name), m)
}

// ForgetPolicy drops what SavePolicy has kept of a model that was taken out of force.
func (s *Store) ForgetPolicy(model string) error { return drop(s, policyBucket, model) }

// Policies is what SavePolicy has kept of every model that is in force.
func (s *Store) Policies() (map[string]*policy.Model, error) {
	return all[*policy.Model](s, policyBucket)
}

// SaveTaken keeps the last policy of a model that every node took.
func (s *Store) SaveTaken(m *policy.Model) error {
	return put(s, takenBucket, []byte(m.Name), m)
}

// TakenPolicies is the last policy of every model that every node took.
func (s *Store) TakenPolicies() (map[string]*policy.Model, error) {
	return all[*policy.Model](s, takenBucket)
}

// SaveFleet keeps a fleet's last good policy.
func (s *Store) SaveFleet(f *policy.Fleet) error {
	return put(s, fleetBucket, []byte(f.Name), f)
}

// ForgetFleet drops what SaveFleet has kept of a fleet that is described no longer.
func (s *Store) ForgetFleet(fleet string) error { return drop(s, fleetBucket, fleet) }

// FleetPolicies is the last good policy of every fleet that is described.
func (s *Store) FleetPolicies() (map[string]*policy.Fleet, error) {
	return all[*policy.Fleet](s, fleetBucket)
}

// Trouble is why policies are not what their files say, and since when.
type Trouble struct {
	Problem string    `json:"problem"`
	Since   time.Time `json:"since"`
}

// SaveTroubles replaces what is kept of troubles, by whatever has them.
func (s *Store) SaveTroubles(troubles map[string]Trouble) error {
	values := make(map[string][]byte, len(troubles))
	for who, t := range troubles {
		value, err := json.Marshal(t)
		if err != nil {
			return fmt.Errorf("save trouble of %s: %w", who, err)
		}
		values[who] = value
	}
	err := s.writer.do(s.writer.patient, func(tx *bolt.Tx) error { return replace(tx.Bucket(troubleBucket), values) })
	if err != nil {
		return fmt.Errorf("save troubles: %w", err)
	}
	return nil
}

// Troubles is what SaveTroubles has kept.
func (s *Store) Troubles() (map[string]Trouble, error) {
	return all[Trouble](s, troubleBucket)
}

// SaveNodes replaces what is kept of nodes: those that are not among them are
// forgotten.
func (s *Store) SaveNodes(nodes []rollout.NodeRecord) error {
	values := make(map[string][]byte, len(nodes))
	for _, n := range nodes {
		value, err := json.Marshal(n)
		if err != nil {
			return fmt.Errorf("save node %s of fleet %s: %w", n.Node, n.Fleet, err)
		}
		values[string(nodeKey(n))] = value
	}
	err := s.writer.do(s.writer.patient, func(tx *bolt.Tx) error { return replace(tx.Bucket(nodeBucket), values) })
	if err != nil {
		return fmt.Errorf("save nodes: %w", err)
	}
	return nil
}

// replace makes values all that a bucket holds.
func replace(b *bolt.Bucket, values map[string][]byte) error {
	var gone [][]byte
	err := b.ForEach(func(key, _ []byte) error {
		if values[string(key)] == nil {
			gone = append(gone, slices.Clone(key))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range gone {
		if err := b.Delete(key); err != nil {
			return err
		}
	}
	for key, value := range values {
		if err := b.Put([]byte(key), value); err != nil {
			return err
		}
	}
	return nil
}

// Nodes is every node that is kept, sorted by fleet and name.
func (s *Store) Nodes() ([]rollout.NodeRecord, error) {
	var nodes []rollout.NodeRecord
	err := each(s, nodeBucket, func(_ string, n rollout.NodeRecord) { nodes = append(nodes, n) })
	return nodes, err
}

func nodeKey(n rollout.NodeRecord) []byte { return join([]byte(n.Fleet), []byte(n.Node)) }

// put writes one value of a bucket that is in no hurry.
func put(s *Store, bucket, key []byte, v any) error {
	if len(key) == 0 {
		return fmt.Errorf("save in %s: %w", bucket, errors.New("name is empty"))
	}
	value, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("save %s in %s: %w", key, bucket, err)
	}
	err = s.writer.do(s.writer.patient, func(tx *bolt.Tx) error { return tx.Bucket(bucket).Put(key, value) })
	if err != nil {
		return fmt.Errorf("save %s in %s: %w", key, bucket, err)
	}
	return nil
}

// drop takes one value out of a bucket, if it is there.
func drop(s *Store, bucket []byte, name string) error {
	err := s.writer.do(s.writer.patient, func(tx *bolt.Tx) error { return tx.Bucket(bucket).Delete([]byte(name)) })
	if err != nil {
		return fmt.Errorf("drop %s of %s: %w", name, bucket, err)
	}
	return nil
}

// all reads a whole bucket.
func all[V any](s *Store, bucket []byte) (map[string]V, error) {
	out := map[string]V{}
	err := each(s, bucket, func(name string, v V) { out[name] = v })
	return out, err
}

func each[V any](s *Store, bucket []byte, visit func(string, V)) error {
	err := s.view(func(tx *bolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(key, value []byte) error {
			var v V
			if err := json.Unmarshal(value, &v); err != nil {
				return fmt.Errorf("%q: %w", key, err)
			}
			visit(string(key), v)
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", bucket, err)
	}
	return nil
}
