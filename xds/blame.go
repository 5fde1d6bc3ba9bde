package xds

import (
	"slices"

	"greenlight/policy"
	"greenlight/xds/resource"
)

// A route configuration is rejected as a whole, and the reason often names none
// of its hosts. A host that is wrongly held to be at fault can't go back to
// what it was; so each is judged alone before it is blamed.

// refuseHosts looks for the fault among the hosts that were new in a rejected
// configuration: it is the only one, or those that the reason names. Otherwise
// all are suspects. Hosts that are wanted no longer are forgotten.
func (h *holding) refuseHosts(out *blob, no *nack) {
	if h.acked == nil {
		return // all were new: only the configuration as a whole is known to be bad
	}
	h.forgetHosts()
	changed := changedHosts(out, h.acked)
	guilty := slices.DeleteFunc(slices.Clone(changed), func(x *host) bool { return !x.namedIn(no.reason) })
	if len(changed) == 1 {
		guilty = changed
	}
	for _, x := range guilty {
		h.hosts = note(h.hosts, x.version, no)
	}
	if len(guilty) > 0 {
		return
	}
	for _, x := range changed {
		h.suspects = note(h.suspects, x.version, no)
	}
}

func (h *holding) forgetHosts() {
	for _, judged := range []map[string]*nack{h.hosts, h.suspects} {
		for version := range judged {
			if h.wanted == nil || !slices.ContainsFunc(h.wanted.hosts, func(x *host) bool { return x.version == version }) {
				delete(judged, version)
			}
		}
	}
}

// namedIn reports whether a reason names the host, or a cluster of its models.
func (x *host) namedIn(reason string) bool {
	if names(reason, x.domain) {
		return true
	}
	for model := range x.models {
		for _, c := range policy.Colors {
			if names(reason, resource.ClusterName(model, c)) {
				return true
			}
		}
	}
	return false
}

// after is those of given that have to wait for another answer: suspects go
// alone, when nothing else is left to send.
func (h *holding) after(given []*host) []*host {
	suspects := slices.DeleteFunc(slices.Clone(given), func(x *host) bool { return h.suspects[x.version] == nil })
	if len(suspects) > 0 && len(suspects) == len(given) {
		return suspects[1:]
	}
	return suspects
}

// acquit clears the hosts that the node took.
func (h *holding) acquit() {
	if h.acked == nil || len(h.suspects) == 0 {
		return
	}
	for _, x := range h.acked.hosts {
		delete(h.suspects, x.version)
	}
}

// convicts is called with a configuration that may be sent next. If the node
// rejected just that one, then what it would change is at fault, if it is one
// host, or else suspect. It reports whether it learned something.
func (w *watch) convicts(h *holding, b *blob) bool {
	no := h.refused[b.version]
	if no == nil || h.acked == nil {
		return false
	}
	changed := changedHosts(b, h.acked)
	if len(changed) == 1 {
		x := changed[0].version
		if h.hosts[x] != nil {
			return false
		}
		h.hosts = note(h.hosts, x, no)
		w.stream.server.rejectedBy(w)
		return true
	}
	learned := false
	for _, x := range changed {
		if h.suspects[x.version] == nil {
			h.suspects = note(h.suspects, x.version, no)
			learned = true
		}
	}
	return learned
}
