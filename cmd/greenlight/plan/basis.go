// Package plan tells what policy files will do before they are in force. It is
// pure: what is in force and what was read go in, and a Plan comes out, built by
// the very functions that the server uses.
package plan

import (
	"slices"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// Basis is what policy files are compared with.
type Basis struct {
	// Name is what people call it, such as "the server at 127.0.0.1:18001".
	Name string
	// Folder is the policy folder, as the files of Set are named, and Files is the same
	// as policies name the files that they use.
	Folder, Files string
	// AllowRemoval: what the files no longer describe goes out of force.
	AllowRemoval bool
	// At is the moment that the rest is of.
	At time.Time
	// Set is what was good in the files last.
	Set policy.Set
	// InForce has the policies that the fleets have, of the models for which they are
	// others than Set's because nodes rejected those.
	InForce map[string]*policy.Model
	// States is where models stand, with facts. A model that is not in it is supposed to
	// stand where its policy begins.
	States map[string]rollout.State
	// Nodes is how many nodes of each fleet are connected; nil when that is not known.
	Nodes map[string]int
	// Notes is what a reader of the plan has to know of the basis.
	Notes []string
}

// Against is the policies of another folder as the basis, as a server would have them
// that reads that folder first. Of what is broken in it nothing is in force.
func Against(r policy.Reading, allowRemoval bool, at time.Time) Basis {
	b := Basis{Name: r.Dir, Folder: r.Dir, Files: r.Dir, AllowRemoval: allowRemoval, At: at, Set: policy.Merge(policy.Set{}, r, at)}
	for _, p := range b.Set.Problems {
		b.Notes = append(b.Notes, "not in force in "+r.Dir+": "+p.String())
	}
	return b
}

// Next is what is in force once r was read, or else what is wrong with r: files are
// taken all together or not at all. The files of b have to be named as those of r.
func Next(b Basis, r policy.Reading) (policy.Set, []policy.Problem) {
	r.AllowRemoval = b.AllowRemoval
	r.Commit = &policy.Commit{}
	next := policy.Merge(b.Set, r, b.At)
	wrong := slices.DeleteFunc(slices.Clone(next.Problems), gone)
	if len(wrong) == 0 && r.Files == 0 {
		wrong = append(wrong, policy.Problem{
			File: r.Dir, Rule: policy.RuleNoPolicies, Message: "the folder holds no *.yaml or *.yml file; name the right one",
		})
	}
	return next, wrong
}

// gone says that a policy in force is in no file any more, which holds nothing up.
func gone(p policy.Problem) bool { return p.Rule == policy.RulePolicyGone }

// inForce is the policy that the fleets have of a model; nil if none.
func (b Basis) inForce(model string) *policy.Model {
	if m := b.InForce[model]; m != nil {
		return m
	}
	return b.Set.Models[model].Model
}

// becomes is the policy that the fleets have of a model once next is in force.
func (b Basis) becomes(model string, next policy.Set) *policy.Model {
	now, filed, after := b.inForce(model), b.Set.Models[model].Model, next.Models[model].Model
	if after == nil {
		return nil
	}
	// What nodes have rejected is not tried again as long as the file stays, and what
	// they already run is no change.
	if after == filed || now != nil && now.Source.Hash != "" && after.Source.Hash == now.Source.Hash {
		return now
	}
	return after
}
