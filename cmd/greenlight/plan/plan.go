package plan

import (
	"greenlight/policy"
)

// Format is the version of a Plan's JSON. It grows when a reader of the older one
// would misunderstand it; new fields alone do not make it grow.
const Format = 1

// Plan is what policy files will do. Its JSON is part of the command line's contract.
type Plan struct {
	Format int `json:"format"`
	// Folder is what was read, and Against what it was compared with.
	Folder  string `json:"folder"`
	Against string `json:"against"`
	// Changed: something is added, changed or removed, or a switch starts or ends.
	Changed bool    `json:"changed"`
	Summary Summary `json:"summary"`
	// Problems is what is wrong with the files. If there are any, nothing of them is
	// taken, and the rest of the plan is empty.
	Problems []policy.Problem `json:"problems"`
	Notes    []string         `json:"notes"`
	// Models, Fleets and Clients are those that anything is to be said of, by name.
	Models  []Model  `json:"models"`
	Fleets  []Fleet  `json:"fleets"`
	Clients []Client `json:"grpcClients"`
}

// Summary counts what a plan changes.
type Summary struct {
	Models    Counts `json:"models"`
	Fleets    Counts `json:"fleets"`
	Resources Counts `json:"resources"` // listeners, route configurations and clusters of all fleets
	// Switches counts those that start, begin, are aborted or go back.
	Switches int `json:"switches"`
	// Nodes is how many connected nodes are sent something; absent when that is not known.
	Nodes *int `json:"nodes,omitempty"`
}

// Counts is a number for each kind of change.
type Counts struct {
	Added   int `json:"added"`
	Changed int `json:"changed"`
	Removed int `json:"removed"`
}

func (c *Counts) count(what Change) {
	switch what {
	case Added:
		c.Added++
	case Changed:
		c.Changed++
	case Removed:
		c.Removed++
	}
}

func (c Counts) all() int { return c.Added + c.Changed + c.Removed }

// Change says what becomes of something.
type Change string

// The changes.
const (
	Added   Change = "added"
	Changed Change = "changed"
	Removed Change = "removed"
	// Kept: no file describes it any more, and it stays in force all the same.
	Kept Change = "kept"
	// Same: its document has other words, and says the same.
	Same Change = "same"
)

// Model is what becomes of one model.
type Model struct {
	Model  string  `json:"model"`
	Change Change  `json:"change"`
	File   string  `json:"file"` // file:line of the document; of one that is gone, where it was
	Fields []Field `json:"fields"`
	// Now is where the model stands; absent when that is not known.
	Now *Standing `json:"now,omitempty"`
	// Switch is what the policy's word on what is live leads to; absent if to nothing.
	Switch *Switch  `json:"switch,omitempty"`
	Notes  []string `json:"notes"`
}

// Standing is where a model stands before the change.
type Standing struct {
	Live    policy.Color `json:"live,omitempty"`
	Phase   string       `json:"phase"`
	Weights Split        `json:"weights"` // percent
	// Versions is what the ready instances of each color serve.
	Versions map[policy.Color][]string `json:"versions"`
	// Drift is how what is live differs from what the policy in force wants.
	Drift string `json:"drift,omitempty"`
}

// Split is the share of users' requests that each color has, in percent.
type Split struct {
	Blue  float64 `json:"blue"`
	Green float64 `json:"green"`
}

// Field is one key of a policy that has another value.
type Field struct {
	// Field is the key's path in the file: "spec.route.timeout". A check is named by its
	// name: "spec.validate[golden].golden.tolerance".
	Field string `json:"field"`
	// Old and New are as policies write them; empty where there is no value.
	Old string `json:"old"`
	New string `json:"new"`
	// Effect is when the change is felt.
	Effect Effect `json:"effect"`
	// Also lists keys that change the same way because they follow this one.
	Also []string `json:"also,omitempty"`
}

// Switch is what the policy's word on what is live leads to.
type Switch struct {
	Does    Does         `json:"does"`
	To      policy.Color `json:"to,omitempty"`
	Version string       `json:"version,omitempty"`
	// If is what was supposed because it is not known: "blue is live".
	If string `json:"if,omitempty"`
	// Turn is what a switch that starts has to wait for first, as far as that is known.
	Turn string `json:"turn,omitempty"`
	// Why is the reason, in Greenlight's own words.
	Why string `json:"why,omitempty"`
}

// Does is what the policy's word leads to.
type Does string

// What the policy's word leads to.
const (
	Starts   Does = "starts"    // a switch, with all its checks
	Begins   Does = "begins"    // a switch that waited for its turn no longer has to
	Aborts   Does = "aborts"    // the running switch ends; no user has met its target
	GoesBack Does = "goes-back" // all users go back at once
	Waits    Does = "waits"     // it is not live, and no switch starts
)

// Fleet is what becomes of one fleet.
type Fleet struct {
	Fleet string `json:"fleet"`
	// Change is that of its policy; empty if that stays as it is.
	Change Change `json:"change,omitempty"`
	File   string `json:"file,omitempty"`
	// Nodes is how many are connected; absent when that is not known.
	Nodes     *int       `json:"nodes,omitempty"`
	Fields    []Field    `json:"fields"`
	Resources []Resource `json:"resources"`
	// Moves is requests that another model answers than before.
	Moves []Move `json:"moves"`
	// Sharing is the models whose routes stay as they are, in a route configuration
	// that is sent anew.
	Sharing []string `json:"sharing"`
	Notes   []string `json:"notes"`
}

// Resource is an xDS resource that the fleet's nodes are sent, or told to drop.
type Resource struct {
	Type   string `json:"type"` // "listener", "route" or "cluster"
	Name   string `json:"name"`
	Change Change `json:"change"`
	// Diff is a unified diff of the resource's JSON; empty for a route configuration,
	// whose hosts have theirs, and for what gRPC clients are sent.
	Diff string `json:"diff,omitempty"`
	// Hosts is the virtual hosts that differ; only of a route configuration.
	Hosts []Host `json:"hosts,omitempty"`
}

// Host is a virtual host of a route configuration.
type Host struct {
	Host   string `json:"host"`
	Change Change `json:"change"`
	// Claims is the prefixes of the models that change on it.
	Claims []Claim `json:"claims"`
	Routes []Route `json:"routes"`
	// Sharing is the other models on it; their routes stay as they are.
	Sharing []string `json:"sharing"`
	// Rewritten is the other models on it whose routes do what they did and are written
	// otherwise: a host says the retries that most of its models have.
	Rewritten []string `json:"rewritten"`
	// Diff is a unified diff of the host's JSON without the routes of models of which
	// none differs.
	Diff string `json:"diff"`
}

// Claim is what a model claims of a host.
type Claim struct {
	Model  string `json:"model"`
	Prefix string `json:"prefix"`
}

// Route is a route of a virtual host that differs.
type Route struct {
	Route  string `json:"route"`
	Change Change `json:"change"`
}

// Move is requests that another model answers than before.
type Move struct {
	Host   string `json:"host"`
	Prefix string `json:"prefix"`
	From   string `json:"from"` // empty: nobody, and Envoy answered 404
	To     string `json:"to"`   // empty: nobody, and Envoy answers 404
}

// Client is what gRPC clients that dial xds:///MODEL are sent.
type Client struct {
	Model     string     `json:"model"`
	Resources []Resource `json:"resources"`
}
