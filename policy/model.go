// Package policy turns policy files into immutable values: what Greenlight may
// do with a model, and what an Envoy fleet looks like.
//
// The types in this file are what the rest of Greenlight sees. They are built
// only by the decoder, which has already applied every default and every rule:
// a Model or a Fleet that exists is valid. Nobody changes one after it was
// built; a changed file makes a new value.
package policy

import (
	"time"

	"greenlight/policy/calendar"
)

// Color is one of the two identities that a model's instances can have.
// A color says nothing about duty: which one is live changes with every switch.
type Color string

// The two colors.
const (
	Blue  Color = "blue"
	Green Color = "green"
)

// Colors lists both colors in their fixed order.
var Colors = [2]Color{Blue, Green}

// Other returns the opposite color.
func (c Color) Other() Color {
	if c == Blue {
		return Green
	}
	return Blue
}

// Valid reports whether c is blue or green.
func (c Color) Valid() bool { return c == Blue || c == Green }

// Model is the policy of one model: the unit of policy and of switching.
type Model struct {
	Name   string   `json:"name"`
	Owners []string `json:"owners,omitempty"`
	// Source says where the policy was read from.
	Source Source `json:"source"`
	// InitialLive is the color that is live when Greenlight meets the model for
	// the first time; empty means: the color that has endpoints, blue if both have.
	InitialLive Color `json:"initialLive,omitempty"`
	// Wanted is what should be live. If it is set the policy decides, and not the
	// admin API: a change of it starts a switch, or goes back.
	Wanted Wanted `json:"live,omitzero"`

	Discovery Discovery `json:"discovery"`
	Route     Route     `json:"route"`
	// Predict says how the checks ask the model's instances for predictions.
	Predict  Predict `json:"predict"`
	Validate []Check `json:"validate"`
	// Calendar tells when the model may be moved forward; going back never waits.
	Calendar calendar.Calendar `json:"calendar,omitzero"`
	// Shape is the form in which Shift was written.
	Shape Shape `json:"shape,omitempty"`
	// Shift is never empty; the last step has weight Full. With Rolling it is that
	// one step, and the weights before it follow the instances.
	Shift   []Step   `json:"shift"`
	Rolling *Rolling `json:"rolling,omitempty"`
	// StepChecks run at every step of the shift but the last; those of the last
	// are the bake's.
	StepChecks StepChecks `json:"stepChecks"`
	Judge      Judge      `json:"judge"`
	Shadow     Shadow     `json:"shadow,omitzero"`
	Prepare    Prepare    `json:"prepare"`
	Confirm    Confirm    `json:"confirm"`
	Bake       Bake       `json:"bake"`
	Rollback   Rollback   `json:"rollback"`
	Retire     Retire     `json:"retire"`
	Cost       Cost       `json:"cost,omitzero"`
	// DependsOn are models of which none may be on its way while a switch of this
	// one starts.
	DependsOn []string   `json:"dependsOn,omitempty"`
	Queue     Queue      `json:"queue,omitzero"`
	Approve   []Approval `json:"approve,omitempty"` // at most one for each act
}

// Source names the file that a policy came from and the hash of its bytes.
type Source struct {
	File string `json:"file"` // as found: the folder as configured plus the path below it
	Line int    `json:"line"` // line of the document's first key, from 1
	Hash string `json:"hash"` // hex SHA-256 of the document, and of the Defaults that it inherits
	// Commit is the one that brought the document as it is; nil if it was read
	// from a plain folder.
	Commit *Commit `json:"commit,omitempty"`
	// Defaults are the files of the Defaults documents that it inherits, the farthest first.
	Defaults []string `json:"defaults,omitempty"`
}

// Discovery says how a model's instances and their colors are found in the registry.
// Either Service with one of ColorMeta and ColorTags is set, or Services.
type Discovery struct {
	// Service is the one service that both colors share.
	Service string `json:"service,omitempty"`
	// ColorMeta is the service meta key that holds "blue" or "green".
	ColorMeta string `json:"colorMeta,omitempty"`
	// ColorTags: the tags "blue" and "green" tell the color.
	ColorTags bool `json:"colorTags,omitempty"`
	// Services names a service of its own for each color.
	Services map[Color]string `json:"services,omitempty"`
	// VersionMeta is the service meta key that holds the version; never empty
	// (default "version"). An instance without it has version "".
	VersionMeta string `json:"versionMeta"`
	// Warning: instances whose worst check is "warning" count as ready.
	Warning bool `json:"warning,omitempty"`
	// Datacenter to ask; empty means the agent's own.
	Datacenter string `json:"datacenter,omitempty"`
}

// Protocol is what the model's instances speak.
type Protocol string

// The upstream protocols.
const (
	HTTP1 Protocol = "http1"
	HTTP2 Protocol = "http2"
	GRPC  Protocol = "grpc"
)

// Route says which requests are the model's, and how Envoy sends them on.
type Route struct {
	Fleets []string `json:"fleets"` // at least one
	// Hosts are the virtual-host domains, port-less, lower case; "*" or "*.suffix" allowed.
	Hosts  []string `json:"hosts"`
	Prefix string   `json:"prefix"` // begins with "/", default "/"
	// Preview is the request header whose value (blue, green, live, idle) picks
	// a color; empty when the preview is off. Default "x-model-color".
	Preview string `json:"preview,omitempty"`
	// PreviewCookie is the cookie that does the same; empty: none does.
	PreviewCookie string `json:"previewCookie,omitempty"`
	// PreviewToken restricts the preview to requests that carry it in the header
	// PreviewTokenHeader; nil: everybody may.
	PreviewToken *Secret `json:"previewToken,omitempty"`
	// Sticky keeps users on a color while weight moves.
	Sticky Sticky `json:"sticky,omitzero"`

	Protocol Protocol      `json:"protocol"`
	Timeout  time.Duration `json:"timeout"` // whole request; 0 means none; default 15s
	Retries  Retries       `json:"retries"`
	Outlier  Outlier       `json:"outlier"`
	Limits   Limits        `json:"limits"`
	// ConnectTimeout is the time for one upstream TCP connection. Default 1s.
	ConnectTimeout time.Duration `json:"connectTimeout"`
}

// Retries is Envoy's retry policy. The default conditions are safe for
// inference that is not idempotent.
type Retries struct {
	Attempts int      `json:"attempts"` // 0 switches retries off; default 2
	On       []string `json:"on"`       // Envoy's retry_on conditions
}

// Outlier is Envoy's passive health checking.
type Outlier struct {
	Off                bool          `json:"off,omitempty"`
	ConsecutiveErrors  int           `json:"consecutiveErrors"`  // gateway failures in a row; default 5
	Interval           time.Duration `json:"interval"`           // default 5s
	EjectFor           time.Duration `json:"ejectFor"`           // base ejection time; default 15s
	MaxEjectionPercent int           `json:"maxEjectionPercent"` // 0–100; default 50
}

// Limits are Envoy's circuit breakers, per color and Envoy.
type Limits struct {
	Connections int `json:"connections"` // default 10240
	Pending     int `json:"pending"`     // default 10240
	Requests    int `json:"requests"`    // default 10240
	Retries     int `json:"retries"`     // default 64
}

// Weight is a share of the traffic in hundredths of a percent, 0 to Full.
type Weight uint16

// Full is all of the traffic.
const Full Weight = 10000

// Step is one weight of the shift, held for Hold after it was confirmed.
type Step struct {
	Weight Weight        `json:"weight"`
	Hold   time.Duration `json:"hold,omitempty"`
}

// StepChecks run again every Every while a step's weight is held. The next step
// is taken only after all of them have passed since the step was confirmed.
type StepChecks struct {
	Every  time.Duration `json:"every"`  // default 10s
	Checks []Check       `json:"checks"` // default: the endpoints, ready, golden and prometheus checks of validate
}

// Prepare bounds the wait for the idle color to be complete, of one version,
// and warm on every node.
type Prepare struct {
	Within time.Duration `json:"within"` // default 5m
}

// Otherwise says what to do when a confirmation does not come.
type Otherwise string

// The ways on without a confirmation.
const (
	OtherwiseRollback Otherwise = "rollback"
	OtherwiseHold     Otherwise = "hold"
)

// Confirm bounds the wait for every connected node's ACK.
type Confirm struct {
	Within    time.Duration `json:"within"`    // default 30s
	Otherwise Otherwise     `json:"otherwise"` // default rollback
}

// Bake is the watched time at full weight: Checks run again every Every.
type Bake struct {
	For    time.Duration `json:"for"`    // default 30m
	Every  time.Duration `json:"every"`  // default 10s
	Checks []Check       `json:"checks"` // default: the endpoints, ready, golden and prometheus checks of validate
}

// Rollback says when Greenlight goes back by itself.
type Rollback struct {
	Automatic bool `json:"automatic"` // default true; false holds instead
	// EndpointsBelow: going back starts when the new color has fewer ready
	// endpoints than this share of what it needed. Default 50%.
	EndpointsBelow Weight `json:"endpointsBelow"`
}

// Retire says when and how the old color is let go.
type Retire struct {
	Off     bool          `json:"off,omitempty"`
	After   time.Duration `json:"after"` // after the bake; default 24h
	Webhook string        `json:"webhook,omitempty"`
	Secret  *Secret       `json:"secret,omitempty"` // signs the webhook's body (HMAC-SHA256)
	// Consul and Nomad are other ways to let instances go; at most one of the three is set.
	Consul *ConsulRetire `json:"consul,omitempty"`
	Nomad  *NomadRetire  `json:"nomad,omitempty"`
	// Repurpose keeps the old color as staging, reached by the preview alone,
	// instead of letting it go.
	Repurpose bool `json:"repurpose,omitempty"`
}

// Hooked reports whether somebody is asked to let instances go.
func (r Retire) Hooked() bool { return r.Webhook != "" || r.Consul != nil || r.Nomad != nil }

// ConsulRetire puts instances into Consul's maintenance mode.
type ConsulRetire struct {
	// Scheme and Port are of the HTTP API of the agent on each instance's node: the
	// catalog does not tell them. Default http and 8500.
	Scheme string  `json:"scheme"`
	Port   int     `json:"port"`
	Token  *Secret `json:"token,omitempty"` // ACL token for these agents; nil: none
}

// NomadRetire scales a Nomad job.
type NomadRetire struct {
	Address string `json:"address"` // URL of Nomad's HTTP API
	// Jobs are the colors' jobs, and Group is the task group in them.
	Jobs      map[Color]string `json:"jobs"`
	Group     string           `json:"group"`
	Namespace string           `json:"namespace,omitempty"` // empty: default
	Region    string           `json:"region,omitempty"`    // empty: the server's
	Token     *Secret          `json:"token,omitempty"`
}

// Fleet is the policy of one fleet: the Envoys that share a node.cluster.
// A fleet that no file describes keeps its own listeners and asks for the
// route configuration that has the fleet's name.
type Fleet struct {
	Name   string `json:"name"`
	Source Source `json:"source"`
	// Routes is the name of the fleet's route configuration; default the fleet's name.
	Routes string `json:"routes"`
	// Listener is nil for a fleet that keeps its own listeners.
	Listener *Listener `json:"listener,omitempty"`
	// Telemetry is nil for a fleet that keeps its own listeners.
	Telemetry *Telemetry `json:"telemetry,omitempty"`
	// Entry is the host:port at which checks meet the fleet as users do; empty: the
	// address of each node's connection with the listener's port.
	Entry string `json:"entry,omitempty"`
}

// Listener is where a fleet's Envoys accept requests.
type Listener struct {
	Name    string `json:"name"`    // default "greenlight"
	Address string `json:"address"` // an IP address; default 0.0.0.0
	Port    int    `json:"port"`    // 1–65535
}
