package policy

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// ErrUnknownModel says that no document names the model that was asked for.
var ErrUnknownModel = errors.New("no model is named")

// Effective is the policy of one model with every default written out.
type Effective struct {
	Model *Model

	fields []field
}

// Show reads a policy folder, or a file, as Lint does, and gives the effective
// policy of one model in it. The error says why there is none.
func Show(path, name string) (*Effective, error) {
	r := ReadPath(path)
	set := Merge(Set{}, r, time.Time{})
	entry, known := set.Models[name]
	switch {
	case !known && r.Files == 0 && len(r.Problems) > 0:
		return nil, errors.New(r.Problems[0].String())
	case !known:
		return nil, fmt.Errorf("%w %q%s", ErrUnknownModel, name, didYouMean(name, namesOf(set)))
	case entry.Model == nil:
		return nil, fmt.Errorf("model %s has no good policy: %s", name, entry.Problem)
	}
	i := slices.IndexFunc(r.documents, func(d document) bool { return d.model == entry.Model })
	d := &r.documents[i]
	w := fieldWriter{document: d, preset: len(d.model.Validate) - len(d.raw.Spec.Validate)}
	return &Effective{Model: d.model, fields: w.mapping(reflect.ValueOf(*effective(d.model, d.raw)), "")}, nil
}

func namesOf(set Set) []string {
	var all []string
	for name := range set.Models {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
