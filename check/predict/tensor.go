package predict

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"greenlight/policy"
)

// tensor is an output of an Open Inference answer. Its elements stand in one of
// the lists, by datatype: integers and bools, floats, or words.
type tensor struct {
	name     string
	datatype datatype
	shape    []int64
	integers []int64 // UINT64: the bits of a uint64
	floats   []float64
	words    []string
}

// maxRank is how many dimensions a tensor may have.
const maxRank = 16

// elements is how many there are by the shape; an error if that can't be.
func elements(shape []int64) (int, error) {
	if len(shape) > maxRank {
		return 0, fmt.Errorf("a shape of %d dimensions; there may be %d", len(shape), maxRank)
	}
	n := int64(1)
	for _, d := range shape {
		if d < 0 || d > maxValues || n*d > maxValues {
			return 0, fmt.Errorf("shape %v is impossible or larger than %d elements", shape, maxValues)
		}
		n *= d
	}
	return int(n), nil
}

// setJSON reads data written in JSON, flat or nested.
func (t *tensor) setJSON(data raw) error {
	want, err := elements(t.shape)
	if err != nil {
		return err
	}
	if data.kind() != '[' {
		return fmt.Errorf("data is %s; must be a list", data.described())
	}
	n := 0
	if err := t.flatten(data, &n, want); err != nil {
		return err
	}
	if n != want {
		return fmt.Errorf("%d elements, but shape %v", n, t.shape)
	}
	return nil
}

func (t *tensor) flatten(list raw, n *int, want int) error {
	return list.elements(func(v raw) error {
		if v.kind() == '[' {
			return t.flatten(v, n, want)
		}
		if *n++; *n > want {
			return fmt.Errorf("more elements than shape %v has", t.shape)
		}
		return t.appendJSON(v)
	})
}

func (t *tensor) appendJSON(v raw) error {
	switch kind := v.kind(); {
	case t.datatype == datatypeBytes && kind == '"':
		t.words = append(t.words, v.text())
		return nil
	case t.datatype == datatypeBool && kind == 't':
		t.integers = append(t.integers, truth(v[0] == 't'))
		return nil
	case t.datatype.isFloat():
		f, err := v.number()
		t.floats = append(t.floats, f)
		return err
	case t.datatype == datatypeUint64 && kind == '0':
		u, err := strconv.ParseUint(string(v), 10, 64)
		t.integers = append(t.integers, int64(u))
		if err == nil {
			return nil
		}
	case t.datatype != datatypeBool && t.datatype != datatypeBytes && kind == '0':
		i, err := strconv.ParseInt(string(v), 10, 64)
		t.integers = append(t.integers, i)
		if err == nil && t.datatype.fits(i) {
			return nil
		}
	}
	return fmt.Errorf("%s where a %v should be", v.described(), t.datatype)
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// setRaw reads data written as raw bytes, little-endian.
func (t *tensor) setRaw(b []byte) error {
	want, err := elements(t.shape)
	if err != nil {
		return err
	}
	if t.datatype == datatypeBytes {
		return t.setWords(b, want)
	}
	size := t.datatype.size()
	if len(b) != want*size {
		return fmt.Errorf("%d bytes of %v, but shape %v", len(b), t.datatype, t.shape)
	}
	for ; len(b) > 0; b = b[size:] {
		if t.datatype.isFloat() {
			t.floats = append(t.floats, t.datatype.readFloat(b))
		} else {
			t.integers = append(t.integers, t.datatype.readInteger(b))
		}
	}
	return nil
}

// setWords reads BYTES: each with its length in 4 bytes before it.
func (t *tensor) setWords(b []byte, want int) error {
	for len(b) > 0 {
		if len(b) < 4 {
			return errors.New("BYTES end within the length of an element")
		}
		n := binary.LittleEndian.Uint32(b)
		if b = b[4:]; uint64(n) > uint64(len(b)) {
			return fmt.Errorf("an element of %d BYTES where only %d are left", n, len(b))
		}
		if len(t.words) == want {
			return fmt.Errorf("more elements than shape %v has", t.shape)
		}
		t.words = append(t.words, string(b[:n]))
		b = b[n:]
	}
	if len(t.words) != want {
		return fmt.Errorf("%d elements, but shape %v", len(t.words), t.shape)
	}
	return nil
}

// number is element i as a finite number.
func (t *tensor) number(i int) (float64, error) {
	switch {
	case t.datatype.isFloat():
		return t.floats[i], finite(t.floats[i])
	case t.datatype == datatypeUint64:
		return float64(uint64(t.integers[i])), nil
	case t.datatype == datatypeBytes:
		return 0, fmt.Errorf("%q, a word where a number should be", Shorten(t.words[i]))
	default:
		return float64(t.integers[i]), nil
	}
}

// label is element i as a data set would write it.
func (t *tensor) label(i int) (string, error) {
	switch {
	case t.datatype.isFloat():
		return numberText(t.floats[i]), finite(t.floats[i])
	case t.datatype == datatypeBool:
		return strconv.FormatBool(t.integers[i] != 0), nil
	case t.datatype == datatypeUint64:
		return strconv.FormatUint(uint64(t.integers[i]), 10), nil
	case t.datatype == datatypeBytes:
		s := t.words[i]
		if s == "" || isNonFinite(s) || !utf8.ValidString(s) {
			return "", fmt.Errorf("%q is no label", Shorten(s))
		}
		return s, nil
	default:
		return strconv.FormatInt(t.integers[i], 10), nil
	}
}

// width is how many elements each of n rows has.
func (t *tensor) width(n int) (int, error) {
	if len(t.shape) == 0 || t.shape[0] != int64(n) {
		return 0, fmt.Errorf("output %q has shape %v for %d rows", t.name, t.shape, n)
	}
	all, err := elements(t.shape)
	return all / n, err
}

// readTensors makes predictions of outputs, which are complete.
func readTensors(outputs []tensor, n int, a policy.Answer) ([]Prediction, error) {
	if name, twice := repeated(outputs); twice {
		return nil, fmt.Errorf("two outputs named %q", Shorten(name))
	}
	all := make([]Prediction, n)
	named := 0
	for _, want := range []struct {
		name string
		take func(all []Prediction, t *tensor, width int, a policy.Answer) error
	}{
		{a.Label, tensorLabels}, {a.Value, tensorValues}, {a.Ranking, tensorRankings}, {a.Scores, tensorScores},
	} {
		if want.name == "" {
			continue
		}
		named++
		t := find(outputs, want.name)
		if t == nil {
			return nil, fmt.Errorf("no output %q; the answer has %s", want.name, outputNames(outputs))
		}
		if err := takeTensor(all, t, a, want.take); err != nil {
			return nil, err
		}
	}
	if named > 0 {
		return all, nil
	}
	if len(outputs) != 1 {
		return nil, fmt.Errorf("%d outputs (%s); name in predict.answer which is which", len(outputs), outputNames(outputs))
	}
	return all, takeTensor(all, &outputs[0], a, tensorAny)
}

func takeTensor(all []Prediction, t *tensor, a policy.Answer, take func([]Prediction, *tensor, int, policy.Answer) error) error {
	width, err := t.width(len(all))
	if err != nil {
		return err
	}
	if err := take(all, t, width, a); err != nil {
		return fmt.Errorf("output %q: %w", t.name, err)
	}
	return nil
}

func find(outputs []tensor, name string) *tensor {
	for i := range outputs {
		if outputs[i].name == name {
			return &outputs[i]
		}
	}
	return nil
}

// repeated is a name that two outputs have: nobody knows which one is meant.
func repeated(outputs []tensor) (name string, twice bool) {
	if len(outputs) < 2 {
		return "", false
	}
	seen := make(map[string]bool, len(outputs))
	for i := range outputs {
		if seen[outputs[i].name] {
			return outputs[i].name, true
		}
		seen[outputs[i].name] = true
	}
	return "", false
}

func outputNames(outputs []tensor) string {
	names := make([]string, len(outputs))
	for i := range outputs {
		names[i] = outputs[i].name
	}
	return Shorten(fmt.Sprintf("%q", names))
}

// tensorAny reads the only output: one element per row is label and value,
// several are scores.
func tensorAny(all []Prediction, t *tensor, width int, a policy.Answer) error {
	if width > 1 {
		return tensorScores(all, t, width, a)
	}
	if t.datatype != datatypeBytes {
		if err := tensorValues(all, t, width, a); err != nil {
			return err
		}
	}
	return tensorLabels(all, t, width, a)
}

func tensorLabels(all []Prediction, t *tensor, width int, _ policy.Answer) error {
	if width != 1 {
		return fmt.Errorf("%d elements per row where one label should be", width)
	}
	for i := range all {
		var err error
		if all[i].Label, err = t.label(i); err != nil {
			return fmt.Errorf("row %d: %w", i, err)
		}
	}
	return nil
}

func tensorValues(all []Prediction, t *tensor, width int, _ policy.Answer) error {
	if width != 1 {
		return fmt.Errorf("%d elements per row where one value should be", width)
	}
	for i := range all {
		var err error
		if all[i].Value, err = t.number(i); err != nil {
			return fmt.Errorf("row %d: %w", i, err)
		}
		all[i].HasValue = true
	}
	return nil
}

func tensorRankings(all []Prediction, t *tensor, width int, _ policy.Answer) error {
	for i := range all {
		all[i].Ranking = make([]string, width)
		for k := range width {
			var err error
			if all[i].Ranking[k], err = t.label(i*width + k); err != nil {
				return fmt.Errorf("row %d: %w", i, err)
			}
		}
	}
	return nil
}

func tensorScores(all []Prediction, t *tensor, width int, a policy.Answer) error {
	flat := make([]float64, width*len(all))
	for i := range flat {
		var err error
		if flat[i], err = t.number(i); err != nil {
			return fmt.Errorf("row %d: %w", i/width, err)
		}
	}
	for i := range all {
		if err := all[i].setScores(a, flat[i*width:(i+1)*width:(i+1)*width]); err != nil {
			return err
		}
	}
	return nil
}
