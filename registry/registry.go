// Package registry watches where a model's instances are: it turns what Consul
// or a file of service definitions says into whole endpoint sets per color, and
// keeps the last good set standing while the registry can't be believed.
package registry

// status is what a registry's checks say of an instance, all taken together.
type status int

// The statuses, best first. An instance under maintenance is critical.
const (
	passing status = iota
	warning
	critical
)

// instance is one registered instance as either registry sees it, before a
// policy says which color it has. It is not changed after it was published.
type instance struct {
	id      string // unique on its node, not always in the catalog
	node    string // empty in the file registry
	address string // IP address or host name
	port    int
	tags    []string
	meta    map[string]string
	status  status
	weights weights
}

// weights are the instance's load-balancing weights while passing and while
// warning. Zero means: gets no traffic.
type weights struct{ passing, warning int }

// answer is the newest word of a registry: whole, or an error.
type answer struct {
	// services holds the instances by service name; a name that is missing has none.
	services map[string][]instance
	err      error
	// faults counts the failures so far. A reader that slept through one still
	// sees that there was one.
	faults uint64
}
