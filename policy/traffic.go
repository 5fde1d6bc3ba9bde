package policy

import "time"

// Shape is the form of a shift, as policies name it.
type Shape string

// The shapes of a shift. All are written out as steps.
const (
	ShapeInstant     Shape = "instant"     // all at once
	ShapeSteps       Shape = "steps"       // weights and holds as written
	ShapeLinear      Shape = "linear"      // equal steps in equal times
	ShapeCanary      Shape = "canary"      // one small step, then all
	ShapeExponential Shape = "exponential" // each step a multiple of the one before
	// ShapeRolling has no steps of its own: weight follows the ready instances.
	ShapeRolling Shape = "rolling"
)

// Rolling replaces the old instances batch by batch, for models too large to run
// twice: a batch is let go, instances of the new version take its place, and the
// weight follows them.
type Rolling struct {
	// Batch is how many instances are let go at once: Count, or if that is 0 the Share
	// of the old instances at the start (rounded up). Default 1.
	Batch Amount `json:"batch"`
	// Capacity is the share of the old instances at the start that is ready and serving
	// at any time, of both colors together. Default 75%.
	Capacity Weight `json:"capacity"`
	// Hold is how long each weight stands after it was confirmed. Default 1m.
	Hold time.Duration `json:"hold"`
}

// Amount is a number, or a share of one.
type Amount struct {
	Count int    `json:"count,omitempty"`
	Share Weight `json:"share,omitempty"`
}

// Of is the amount where all are so many: 1 or more.
func (a Amount) Of(all int) int {
	if a.Count > 0 {
		return a.Count
	}
	return max(1, (all*int(a.Share)+int(Full)-1)/int(Full))
}

// Cost is what instances cost, for the figures of running a model twice.
type Cost struct {
	Currency string `json:"currency,omitempty"` // ISO 4217; default USD where there is a price
	// InstanceHour is the price of one instance for an hour; 0 when not known.
	InstanceHour float64 `json:"instanceHour,omitempty"`
	// AtMost is the most that running twice for one switch should cost; 0: no such limit.
	// It stops nothing: advice goes by it.
	AtMost float64 `json:"atMost,omitempty"`
	// Spare is how many instances there is room for beside the live ones; nil: not known.
	Spare *int `json:"spare,omitempty"`
}

// Judge says how users' own traffic is judged while both colors, or the new one
// alone, carry it.
type Judge struct {
	Off bool `json:"off,omitempty"`
	// Asked is set if the policy has a judge section. Then thin data, or none, holds
	// a step up to MaxHold; without it a judgement stops what is worse and delays nothing.
	Asked bool `json:"asked,omitempty"`
	// Risk is the largest share of switches to an equal version that the relative
	// rules together send back, however often one looks. 0.0001 to 0.2; default 0.01.
	Risk    float64     `json:"risk"`
	Errors  ErrorRule   `json:"errors"`
	Latency LatencyRule `json:"latency"`
	// MinRequests is how many requests each color must have been seen to answer
	// before a step passes. Default 100. What is clearly worse stops earlier.
	MinRequests int `json:"minRequests"`
	// MaxHold is how long a step or the bake is held beyond its time while the
	// data is thin or suspicious. Default 30m.
	MaxHold   time.Duration `json:"maxHold"`
	Otherwise ThinOtherwise `json:"otherwise"` // what follows then; default hold
}

// ThinOtherwise says what follows when MaxHold is over and the data still says too little.
type ThinOtherwise string

// What may follow thin data.
const (
	ThinRollback ThinOtherwise = "rollback"
	ThinHold     ThinOtherwise = "hold"
	ThinPromote  ThinOtherwise = "promote"
)

// ErrorRule judges the share of failed requests: answers 5xx, gRPC statuses that
// are the server's fault, no answer at all, and (against the other color only)
// clients that left before an answer.
type ErrorRule struct {
	// RelativeOff switches the comparison with the other color off.
	RelativeOff bool `json:"relativeOff,omitempty"`
	// ClientErrors counts 4xx, and gRPC statuses that are the client's fault, too.
	ClientErrors bool `json:"clientErrors,omitempty"`
	// Tolerate is the ratio to the other color's odds of failing up to which the new
	// color is not worse. 1 to 100; default 1.
	Tolerate float64 `json:"tolerate"`
	// Max is the absolute limit, 0 to 1; nil when there is none.
	Max *float64 `json:"max,omitempty"`
}

// LatencyRule judges how long requests take, from their first byte at the Envoy
// to the last byte of the answer from the model.
type LatencyRule struct {
	RelativeOff bool `json:"relativeOff,omitempty"`
	// Tolerate is the ratio to the other color's latency up to which the new color
	// is not worse. 1 to 100; default 1.1.
	Tolerate float64 `json:"tolerate"`
	// Max are the absolute limits, by rising quantile.
	Max []LatencyMax `json:"max,omitempty"`
}

// LatencyMax is the most that a quantile of the latency may be.
type LatencyMax struct {
	Quantile float64       `json:"quantile"` // 0.5, 0.9, 0.95, 0.99 or 0.999
	Max      time.Duration `json:"max"`
}

// Shadow mirrors a share of users' requests to the idle color, after its
// validation and before users meet it. Its answers are dropped.
type Shadow struct {
	Percent Weight        `json:"percent"` // 0: no shadow
	For     time.Duration `json:"for"`     // default 10m
}

// Sticky keeps a user on a color: who has moved to the new one at a small weight
// is still there at a larger one. At most one field is set.
type Sticky struct {
	Header string `json:"header,omitempty"` // lower case
	Cookie string `json:"cookie,omitempty"`
	// CookieTTL of more than 0 lets Envoy give the cookie to users who have none.
	CookieTTL time.Duration `json:"cookieTTL,omitempty"`
	SourceIP  bool          `json:"sourceIP,omitempty"`
}

// On reports whether the split is sticky.
func (s Sticky) On() bool { return s.Header != "" || s.Cookie != "" || s.SourceIP }

// Telemetry says what the Envoys of a fleet report of requests. It comes with
// the listener, so it is only there for a fleet that has one.
type Telemetry struct {
	Off bool `json:"off,omitempty"`
	// Sample is the share of requests that is reported. Default 100%.
	Sample Weight `json:"sample"`
	// Every is how long an Envoy keeps reports back at most. Default 1s.
	Every time.Duration `json:"every"`
}

// PreviewTokenHeader carries the token of a restricted preview; Envoy takes it
// off before the model sees the request.
const PreviewTokenHeader = "x-greenlight-preview-token"
