package api

import (
	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
)

func policySource(s policy.Source) *adminv1.PolicySource {
	return &adminv1.PolicySource{File: s.File, Line: number(s.Line), Hash: s.Hash, Commit: policyCommit(s.Commit), Defaults: s.Defaults}
}

func policyCommit(c *policy.Commit) *adminv1.PolicyCommit {
	if c == nil {
		return nil
	}
	return &adminv1.PolicyCommit{
		Repository: c.Repository, Ref: c.Ref, Id: c.ID, Author: c.Author, Committer: c.Committer, At: at(c.At), Subject: c.Subject, SignedBy: c.SignedBy,
	}
}

func wanted(w policy.Wanted) *adminv1.Wanted {
	if w.None() {
		return nil
	}
	return &adminv1.Wanted{Color: colors[w.Color], Version: w.Version}
}

func policyUse(u rollout.PolicyUse) *adminv1.PolicyUse {
	return &adminv1.PolicyUse{Generation: u.Generation, At: at(u.At), Source: policySource(u.Source)}
}

func parted(p rollout.Parted) *adminv1.Parted {
	if p == (rollout.Parted{}) {
		return nil
	}
	return &adminv1.Parted{By: p.By, Why: p.Why, At: at(p.At), Hash: p.Hash, Version: p.Version}
}

func heard(h *rollout.Heard) *adminv1.Heard {
	if h == nil {
		return nil
	}
	return &adminv1.Heard{Wanted: wanted(h.Word.Want), WantedSince: at(h.Word.Since), WantedBy: writers(h.Word.Writers), Parted: parted(h.Parted)}
}

func policyOrigin(o policy.Origin) *adminv1.PolicyOrigin {
	if o == (policy.Origin{}) {
		return nil
	}
	return &adminv1.PolicyOrigin{Commit: policyCommit(o.Commit), Problem: o.Problem, Since: at(o.Since)}
}

func writers(w rollout.Writers) *adminv1.Writers {
	if w == (rollout.Writers{}) {
		return nil
	}
	return &adminv1.Writers{Author: w.Author, Committer: w.Committer, SignedBy: w.SignedBy}
}
