package policy

// APIVersion is the version of the policy format that this package reads.
const APIVersion = "greenlight/v1"

// The kinds of policy documents.
const (
	kindModel    = "Model"
	kindFleet    = "Fleet"
	kindDefaults = "Defaults"
)

var kinds = []string{kindModel, kindFleet, kindDefaults}

// The raw structs are a policy document as it is written. Pointers tell what
// was written from what was left out; the builders turn them into a Model or a
// Fleet. The JSON Schema comes from the same structs, so their tags are the
// one description of the format's shape. What a model may inherit is required
// nowhere in them, only by the builders.

type rawModel struct {
	APIVersion string      `yaml:"apiVersion" jsonschema:"required,enum=greenlight/v1" jsonschema_description:"Version of the policy format."`
	Kind       string      `yaml:"kind" jsonschema:"required,enum=Model" jsonschema_description:"What the document describes: a Model, a Fleet, or the Defaults of a folder."`
	Metadata   rawMetadata `yaml:"metadata" jsonschema:"required" jsonschema_description:"Who the model is."`
	Spec       rawSpec     `yaml:"spec" jsonschema_description:"What Greenlight may do with the model."`
}

type rawMetadata struct {
	Name   string   `yaml:"name" jsonschema:"required,pattern=^[a-z0-9]([a-z0-9-]*[a-z0-9])?$,minLength=1,maxLength=63,example=fraud" jsonschema_description:"The model's name; its clusters are NAME/blue and NAME/green."`
	Owners []string `yaml:"owners" jsonschema_description:"Who answers for the model; shown, not interpreted."`
}

type rawSpec struct {
	InitialLive *string      `yaml:"initialLive" jsonschema:"enum=blue,enum=green" jsonschema_description:"The color that is live when Greenlight meets the model for the first time. Default: the color that has endpoints, blue if both have."`
	Live        *rawLive     `yaml:"live" jsonschema_description:"What should be live: blue, green, or {version: VERSION}. Then the policy decides: a change of it starts a switch with all its checks, or goes back. Default: the admin API decides."`
	Discovery   rawDiscovery `yaml:"discovery" jsonschema_description:"How the model's instances and their colors are found in the registry: one service with a color, or one service for each color."`
	Route       rawRoute     `yaml:"route" jsonschema_description:"Which requests are the model's, and how Envoy sends them on."`
	Predict     *rawPredict  `yaml:"predict" jsonschema_description:"How checks ask the model's instances for predictions."`
	Validate    []rawCheck   `yaml:"validate" jsonschema_description:"Checks that the idle color must pass before any user meets it. Default: one endpoints check."`
	Prepare     *rawPrepare  `yaml:"prepare" jsonschema_description:"The wait for the idle color to be complete, of one version, and warm on every node."`
	Calendar    *rawCalendar `yaml:"calendar" jsonschema_description:"When the model may be moved forward. Going back never waits. Default: always."`
	Shift       *rawShift    `yaml:"shift" jsonschema_description:"How weight moves. Default: all at once."`
	Judge       *rawJudge    `yaml:"judge" jsonschema_description:"How users' own traffic is judged at every step and in the bake. Default: what is worse is stopped, and nothing is delayed."`
	Shadow      *rawShadow   `yaml:"shadow" jsonschema_description:"Mirrors users' requests to the idle color after its validation and before they meet it. Default: none."`
	Confirm     *rawConfirm  `yaml:"confirm" jsonschema_description:"The wait for every connected node's ACK."`
	Bake        *rawBake     `yaml:"bake" jsonschema_description:"The watched time at full weight."`
	Rollback    *rawRollback `yaml:"rollback" jsonschema_description:"When Greenlight goes back by itself."`
	Retire      *rawRetire   `yaml:"retire" jsonschema_description:"When and how the old color is let go."`
	DependsOn   []string     `yaml:"dependsOn" jsonschema:"uniqueItems=true,example=embedder" jsonschema_description:"Models that have to be where they should before a switch of this one starts."`
	Queue       *rawQueue    `yaml:"queue" jsonschema_description:"A group of models of which only so many are switched at once. Default: none."`
	Approve     rawApprovals `yaml:"approve" jsonschema_description:"Who has to approve that users meet the new color, or that the old one is let go. Default: nobody."`
	Cost        *rawCost     `yaml:"cost" jsonschema_description:"What instances cost, for the figures of running the model twice."`
}

type rawDiscovery struct {
	Service    *string           `yaml:"service" jsonschema:"example=fraud" jsonschema_description:"The one service that both colors share."`
	Color      *rawColor         `yaml:"color" jsonschema_description:"How an instance of the shared service tells its color. Default: the meta key color."`
	Blue       *rawColorService  `yaml:"blue" jsonschema_description:"The service of the blue instances."`
	Green      *rawColorService  `yaml:"green" jsonschema_description:"The service of the green instances."`
	Version    *rawVersionSource `yaml:"version" jsonschema_description:"Where the version is read from."`
	Warning    *bool             `yaml:"warning" jsonschema:"default=false" jsonschema_description:"Instances whose worst check is warning count as ready."`
	Datacenter *string           `yaml:"datacenter" jsonschema:"example=dc1" jsonschema_description:"Datacenter to ask. Default: the agent's own."`
}

type rawColor struct {
	Meta *string `yaml:"meta" jsonschema:"default=color" jsonschema_description:"Service meta key that holds blue or green."`
	Tag  *bool   `yaml:"tag" jsonschema:"default=false" jsonschema_description:"The tags blue and green tell the color."`
}

type rawColorService struct {
	Service string `yaml:"service" jsonschema:"example=fraud-blue" jsonschema_description:"Name of the service in the registry."`
}

type rawVersionSource struct {
	Meta *string `yaml:"meta" jsonschema:"default=version" jsonschema_description:"Service meta key that holds the version."`
}

type rawRoute struct {
	Fleets         []string    `yaml:"fleets" jsonschema:"minItems=1,uniqueItems=true" jsonschema_description:"The fleets (xDS node.cluster) that route the model."`
	Hosts          []string    `yaml:"hosts" jsonschema:"minItems=1,uniqueItems=true,example=fraud.models.internal" jsonschema_description:"Host names without port: domains, IP addresses, *.suffix or *. Default: the model's name."`
	Prefix         *string     `yaml:"prefix" jsonschema:"default=/,pattern=^/" jsonschema_description:"Path prefix of the model's requests."`
	Preview        *rawPreview `yaml:"preview" jsonschema_description:"The request header or cookie by which testers reach a color (blue, green, live or idle)."`
	Sticky         *rawSticky  `yaml:"sticky" jsonschema_description:"By what a user is known who stays on a color while weight moves. Default: each request is split by itself."`
	Protocol       *string     `yaml:"protocol" jsonschema:"default=http1,enum=http1,enum=http2,enum=grpc" jsonschema_description:"What the model's instances speak."`
	Timeout        *duration   `yaml:"timeout" jsonschema:"default=15s" jsonschema_description:"Time for the whole request; 0 means no limit."`
	ConnectTimeout *duration   `yaml:"connectTimeout" jsonschema:"default=1s" jsonschema_description:"Time for one TCP connection to an instance."`
	Retries        *rawRetries `yaml:"retries" jsonschema_description:"Envoy's retry policy."`
	Outlier        *rawOutlier `yaml:"outlier" jsonschema_description:"Envoy's passive health checking."`
	Limits         *rawLimits  `yaml:"limits" jsonschema_description:"Envoy's circuit breakers, per color and Envoy."`
}

type rawPreview struct {
	Header *string    `yaml:"header" jsonschema:"default=x-model-color" jsonschema_description:"Name of the request header."`
	Cookie *string    `yaml:"cookie" jsonschema:"maxLength=64,example=model-color" jsonschema_description:"Name of a cookie that does the same. Default: none does."`
	Token  *rawSecret `yaml:"token" jsonschema_description:"Restricts the preview to requests that carry this token in the header x-greenlight-preview-token. Default: everybody may."`
	Off    *bool      `yaml:"off" jsonschema:"default=false" jsonschema_description:"No request picks a color."`
}

type rawSticky struct {
	Header   *string    `yaml:"header" jsonschema:"example=x-user-id" jsonschema_description:"Request header whose value tells one user from another."`
	Cookie   *rawCookie `yaml:"cookie" jsonschema_description:"Cookie whose value tells one user from another."`
	SourceIP *bool      `yaml:"sourceIP" jsonschema_description:"The client's address tells one user from another."`
}

type rawCookie struct {
	Name *string   `yaml:"name" jsonschema:"maxLength=64,example=user" jsonschema_description:"Name of the cookie."`
	TTL  *duration `yaml:"ttl" jsonschema_description:"Envoy gives the cookie, for this time, to users who have none; whole seconds. Default: it gives none."`
}

type rawRetries struct {
	Attempts *int     `yaml:"attempts" jsonschema:"default=2,minimum=0,maximum=10" jsonschema_description:"How often a request is tried again; 0 switches retries off."`
	On       []string `yaml:"on" jsonschema:"uniqueItems=true" jsonschema_description:"Envoy's retry_on conditions. The default is safe for inference that is not idempotent: connect-failure, refused-stream, reset-before-request."`
}

type rawOutlier struct {
	Off                *bool     `yaml:"off" jsonschema:"default=false" jsonschema_description:"Envoy ejects no instance by itself."`
	ConsecutiveErrors  *int      `yaml:"consecutiveErrors" jsonschema:"default=5,minimum=1,maximum=1000" jsonschema_description:"Gateway failures in a row that eject an instance."`
	Interval           *duration `yaml:"interval" jsonschema:"default=5s" jsonschema_description:"Time between two looks at the figures."`
	EjectFor           *duration `yaml:"ejectFor" jsonschema:"default=15s" jsonschema_description:"Base time for which an instance stays out."`
	MaxEjectionPercent *percent  `yaml:"maxEjectionPercent" jsonschema:"default=50" jsonschema_description:"Largest share of a color's instances that may be out; whole percents."`
}

type rawLimits struct {
	Connections *int `yaml:"connections" jsonschema:"default=10240,minimum=1" jsonschema_description:"Open connections."`
	Pending     *int `yaml:"pending" jsonschema:"default=10240,minimum=1" jsonschema_description:"Requests that wait for a connection."`
	Requests    *int `yaml:"requests" jsonschema:"default=10240,minimum=1" jsonschema_description:"Requests in flight."`
	Retries     *int `yaml:"retries" jsonschema:"default=64,minimum=0" jsonschema_description:"Retries in flight."`
}

type rawShift struct {
	Steps       []rawStep       `yaml:"steps" jsonschema:"minItems=1,maxItems=100" jsonschema_description:"Weights in rising order, the last one 100%."`
	Linear      *rawLinear      `yaml:"linear" jsonschema_description:"Equal steps in equal times."`
	Canary      *rawCanary      `yaml:"canary" jsonschema_description:"One small step, then all."`
	Exponential *rawExponential `yaml:"exponential" jsonschema_description:"Each step a multiple of the one before."`
	Rolling     *rawRolling     `yaml:"rolling" jsonschema_description:"Old instances make room for new ones batch by batch, and the weight follows them; for models too large to run twice."`
	Instant     *bool           `yaml:"instant" jsonschema_description:"true: all at once, which is the default."`
	CheckEvery  *duration       `yaml:"checkEvery" jsonschema:"default=10s" jsonschema_description:"Time between two runs of the checks of a step."`
	Checks      []rawCheck      `yaml:"checks" jsonschema_description:"What is checked at every step but the last. Default: the endpoints, ready, golden and prometheus checks of validate."`
}

// rawStep is written as a mapping or, without a hold, as the weight alone.
type rawStep struct {
	Weight *percent  `yaml:"weight" jsonschema:"required" jsonschema_description:"Share of the requests that the new color gets."`
	Hold   *duration `yaml:"hold" jsonschema:"default=0s" jsonschema_description:"How long the weight stands after it was confirmed."`
}

type rawLinear struct {
	By    *percent  `yaml:"by" jsonschema_description:"Weight that each step adds, 1% to 100%."`
	Every *duration `yaml:"every" jsonschema_description:"How long each step but the last is held."`
}

type rawCanary struct {
	Weight *percent  `yaml:"weight" jsonschema:"default=5%" jsonschema_description:"Share of the requests that the new color gets first."`
	Hold   *duration `yaml:"hold" jsonschema:"default=10m" jsonschema_description:"How long it is held."`
}

type rawExponential struct {
	From   *percent  `yaml:"from" jsonschema:"default=1%" jsonschema_description:"The first weight."`
	Factor *number   `yaml:"factor" jsonschema:"default=2" jsonschema_description:"By how much each step multiplies the weight before, 1.1 to 100."`
	Every  *duration `yaml:"every" jsonschema_description:"How long each step but the last is held."`
}

type rawRolling struct {
	Batch    *amount   `yaml:"batch" jsonschema:"default=1" jsonschema_description:"Old instances that are let go at once: a number, or a share of those at the start like 25%."`
	Capacity *percent  `yaml:"capacity" jsonschema:"default=75%" jsonschema_description:"Share of the old instances at the start that serves at any time, old and new together."`
	Hold     *duration `yaml:"hold" jsonschema:"default=1m" jsonschema_description:"How long each weight stands after it was confirmed."`
}

type rawCost struct {
	Currency     *string `yaml:"currency" jsonschema:"default=USD,pattern=^[A-Z]{3}$" jsonschema_description:"ISO 4217 code of the prices."`
	InstanceHour *number `yaml:"instanceHour" jsonschema:"example=3.06" jsonschema_description:"Price of one instance for an hour."`
	AtMost       *number `yaml:"atMost" jsonschema:"example=200" jsonschema_description:"The most that running twice for one switch should cost. It stops nothing; greenlight advise goes by it."`
	Spare        *int    `yaml:"spare" jsonschema:"minimum=0,maximum=100000" jsonschema_description:"Instances that there is room for beside the live ones; greenlight advise goes by it."`
}

type rawPrepare struct {
	Within *duration `yaml:"within" jsonschema:"default=5m" jsonschema_description:"After this time the switch is refused."`
}

type rawConfirm struct {
	Within    *duration `yaml:"within" jsonschema:"default=30s" jsonschema_description:"Time for every node's ACK of one step."`
	Otherwise *string   `yaml:"otherwise" jsonschema:"default=rollback,enum=rollback,enum=hold" jsonschema_description:"What to do when an ACK does not come."`
}

type rawBake struct {
	For    *duration  `yaml:"for" jsonschema:"default=30m" jsonschema_description:"How long the new color is watched at full weight."`
	Every  *duration  `yaml:"every" jsonschema:"default=10s" jsonschema_description:"Time between two runs of the checks."`
	Checks []rawCheck `yaml:"checks" jsonschema_description:"What is checked. Default: the endpoints, ready, golden and prometheus checks of validate."`
}

type rawRollback struct {
	Automatic      *bool    `yaml:"automatic" jsonschema:"default=true" jsonschema_description:"false holds where it is, and asks for a person, instead of going back."`
	EndpointsBelow *percent `yaml:"endpointsBelow" jsonschema:"default=50%" jsonschema_description:"Going back starts when the new color has fewer ready endpoints than this share of what it needed."`
}

type rawRetire struct {
	After   *duration        `yaml:"after" jsonschema:"default=24h" jsonschema_description:"Time after the bake until the old color is let go."`
	Webhook *string          `yaml:"webhook" jsonschema:"format=uri,example=https://deploy.internal/retire" jsonschema_description:"URL that is told when the old color may be let go."`
	Secret  *rawSecret       `yaml:"secret" jsonschema_description:"Signs the webhook's body. Without it the body is unsigned."`
	Consul  *rawConsulRetire `yaml:"consul" jsonschema_description:"Puts the old instances into Consul's maintenance mode."`
	Nomad   *rawNomadRetire  `yaml:"nomad" jsonschema_description:"Scales the old color's Nomad job."`
	Off     *bool            `yaml:"off" jsonschema:"default=false" jsonschema_description:"The old color is never let go."`
	// Repurpose is a word, so that other duties may follow.
	Repurpose *string `yaml:"repurpose" jsonschema:"enum=staging" jsonschema_description:"The old color is kept, reached by the preview alone, instead of being let go."`
}

type rawConsulRetire struct {
	Scheme *string    `yaml:"scheme" jsonschema:"default=http,enum=http,enum=https" jsonschema_description:"Scheme of the HTTP API of the agents on the instances' nodes."`
	Port   *int       `yaml:"port" jsonschema:"default=8500,minimum=1,maximum=65535" jsonschema_description:"Port of that API."`
	Token  *rawSecret `yaml:"token" jsonschema_description:"ACL token for these agents. Default: none; the registry's is not sent to them."`
}

type rawNomadRetire struct {
	Address   *string       `yaml:"address" jsonschema:"format=uri,example=http://nomad.internal:4646" jsonschema_description:"URL of Nomad's HTTP API."`
	Jobs      *rawNomadJobs `yaml:"jobs" jsonschema_description:"The job of each color."`
	Group     *string       `yaml:"group" jsonschema:"example=model" jsonschema_description:"The task group that is scaled."`
	Namespace *string       `yaml:"namespace" jsonschema_description:"Namespace of the jobs. Default: Nomad's default."`
	Region    *string       `yaml:"region" jsonschema_description:"Region of the jobs. Default: the server's own."`
	Token     *rawSecret    `yaml:"token" jsonschema_description:"ACL token with the capabilities scale-job and read-job."`
}

type rawNomadJobs struct {
	Blue  *string `yaml:"blue" jsonschema:"example=fraud-blue" jsonschema_description:"The job of the blue instances."`
	Green *string `yaml:"green" jsonschema:"example=fraud-green" jsonschema_description:"The job of the green instances."`
}

type rawFleet struct {
	APIVersion string           `yaml:"apiVersion" jsonschema:"required,enum=greenlight/v1" jsonschema_description:"Version of the policy format."`
	Kind       string           `yaml:"kind" jsonschema:"required,enum=Fleet" jsonschema_description:"What the document describes: a Model, a Fleet, or the Defaults of a folder."`
	Metadata   rawFleetMetadata `yaml:"metadata" jsonschema:"required" jsonschema_description:"Which fleet."`
	Spec       rawFleetSpec     `yaml:"spec" jsonschema_description:"What the fleet's Envoys are given."`
}

type rawFleetMetadata struct {
	Name string `yaml:"name" jsonschema:"required,minLength=1,maxLength=128,example=edge" jsonschema_description:"The xDS node.cluster that the fleet's Envoys have in common."`
}

type rawFleetSpec struct {
	Routes   *string      `yaml:"routes" jsonschema_description:"Name of the fleet's route configuration. Default: the fleet's name."`
	Listener *rawListener `yaml:"listener" jsonschema_description:"Where the fleet's Envoys accept requests. Without it they keep their own listeners."`
	// Telemetry comes with the listener.
	Telemetry *rawTelemetry `yaml:"telemetry" jsonschema_description:"What the fleet's Envoys report of requests; only with a listener."`
	Entry     *string       `yaml:"entry" jsonschema:"example=edge.internal:8080" jsonschema_description:"host:port at which checks meet the fleet as users do. Default: each Envoy's own address, with the listener's port."`
}

type rawTelemetry struct {
	Off    *bool     `yaml:"off" jsonschema:"default=false" jsonschema_description:"The Envoys report nothing."`
	Sample *percent  `yaml:"sample" jsonschema:"default=100%" jsonschema_description:"Share of the requests that is reported, more than 0%."`
	Every  *duration `yaml:"every" jsonschema:"default=1s" jsonschema_description:"How long an Envoy keeps reports back at most, 100ms to 1m."`
}

type rawListener struct {
	Name    *string `yaml:"name" jsonschema:"default=greenlight" jsonschema_description:"Name of the listener."`
	Address *string `yaml:"address" jsonschema:"default=0.0.0.0" jsonschema_description:"IP address to listen on."`
	Port    *int    `yaml:"port" jsonschema:"required,minimum=1,maximum=65535" jsonschema_description:"TCP port to listen on."`
}
