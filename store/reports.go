package store

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	bolt "go.etcd.io/bbolt"

	"greenlight/policy"
	"greenlight/rollout"
)

// SaveVerdicts keeps the verdicts of one complete run of a stage's checks, each
// in place of the check's older one. Those of a switch that is not kept (any
// more) are not kept either.
func (s *Store) SaveVerdicts(switchID, stage string, verdicts []rollout.Verdict) error {
	values := make([][]byte, len(verdicts))
	for i, v := range verdicts {
		var err error
		if values[i], err = packVerdict(v); err != nil {
			return fmt.Errorf("save verdicts of switch %s: check %s: %w", switchID, v.Check, err)
		}
	}
	err := s.writer.do(s.writer.patient, func(tx *bolt.Tx) error {
		if tx.Bucket(switchBucket).Get([]byte(switchID)) == nil {
			return nil
		}
		for i, v := range verdicts {
			key := join([]byte(switchID), join([]byte(stage), []byte(v.Check)))
			if err := tx.Bucket(reportBucket).Put(key, values[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("save verdicts of switch %s: %w", switchID, err)
	}
	return nil
}

// Report is everything that was measured for a switch so far; nil if no kept
// switch has the id. What was measured just before a kill may be missing.
func (s *Store) Report(id string) (*rollout.Assessment, error) {
	sw, err := s.Switch(id)
	if sw == nil || err != nil {
		return nil, err
	}
	a := &rollout.Assessment{
		Model: sw.Model, At: sw.Started, Switch: sw,
		Target: rollout.Target{
			Idle: string(sw.To), IdleVersion: sw.ToVersion,
			Live: string(sw.From), LiveVersion: sw.FromVersion,
		},
	}
	byStage := map[string][]rollout.Verdict{}
	err = s.view(func(tx *bolt.Tx) error {
		prefix := join([]byte(id), nil)
		c := tx.Bucket(reportBucket).Cursor()
		for k, value := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, value = c.Next() {
			stage, check, _ := strings.Cut(string(k[len(prefix):]), "\x00")
			v, err := unpackVerdict(value)
			if err != nil {
				return fmt.Errorf("stage %s, check %s: %w", stage, check, err)
			}
			byStage[stage] = append(byStage[stage], v)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read report of switch %s: %w", id, err)
	}
	for name, verdicts := range byStage {
		sortVerdicts(verdicts, rollout.StageChecks(&sw.Plan, name))
		a.Stages = append(a.Stages, rollout.Stage{Name: name, Verdicts: verdicts})
		for _, v := range verdicts {
			if v.At.After(a.At) {
				a.At = v.At
			}
		}
	}
	slices.SortFunc(a.Stages, func(a, b rollout.Stage) int {
		return cmp.Or(cmp.Compare(stageRank(a.Name), stageRank(b.Name)), strings.Compare(a.Name, b.Name))
	})
	return a, nil
}

// stageRank sorts stages as they run: validate, shadow, the steps by weight, once
// through the route at full weight, bake.
func stageRank(name string) float64 {
	switch name {
	case rollout.StageValidate:
		return -2
	case rollout.StageShadow:
		return -1
	case rollout.StageRoute:
		return math.MaxFloat64 / 2
	case rollout.StageBake:
		return math.MaxFloat64
	}
	weight, err := strconv.ParseFloat(strings.TrimSuffix(name, "%"), 64)
	if err != nil {
		return math.Inf(1)
	}
	return weight
}

// sortVerdicts puts verdicts in the order of the checks.
func sortVerdicts(verdicts []rollout.Verdict, checks []policy.Check) {
	rank := func(v rollout.Verdict) int {
		return slices.IndexFunc(checks, func(c policy.Check) bool { return c.Name == v.Check })
	}
	slices.SortStableFunc(verdicts, func(a, b rollout.Verdict) int { return cmp.Compare(rank(a), rank(b)) })
}

// forgetReport drops all that is kept of a switch's verdicts.
func forgetReport(tx *bolt.Tx, id []byte) error {
	prefix := join(id, nil)
	reports := tx.Bucket(reportBucket)
	var old [][]byte // a cursor must not be used while its bucket changes
	c := reports.Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		old = append(old, bytes.Clone(k))
	}
	for _, k := range old {
		if err := reports.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// packVerdict is v as it lies on disk: JSON, compressed, since charts are long
// lists of numbers. A detail that JSON can't say (a number that is not finite)
// costs the detail and not the verdict.
func packVerdict(v rollout.Verdict) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil && v.Detail != nil {
		v.Detail = &rollout.Detail{Notes: []string{fmt.Sprintf("the details could not be kept: %v", err)}}
		text, err = json.Marshal(v)
	}
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(text); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func unpackVerdict(value []byte) (v rollout.Verdict, err error) {
	z, err := gzip.NewReader(bytes.NewReader(value))
	if err != nil {
		return v, err
	}
	if err := json.NewDecoder(z).Decode(&v); err != nil {
		return v, err
	}
	return v, z.Close()
}
