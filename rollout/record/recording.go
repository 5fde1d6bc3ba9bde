// Package record keeps what a switch heard, so that it can be replayed under another
// policy: what the registry and the fleets said, verdicts, users' requests and people's
// words. It is pure; whoever uses it keeps the parts.
package record

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/judge"
)

// MaxSize is about how many bytes a recording has on disk at most.
const MaxSize = 1 << 20

// Recording is what one switch heard, oldest first.
type Recording struct {
	Switch  rollout.Switch `json:"switch"` // as it stands
	Entries []Entry        `json:"entries"`
}

// Entry is one thing that was heard; exactly one of the fields after At is set.
type Entry struct {
	At time.Time `json:"at"`
	// Head is how all was when the switch began.
	Head *Head `json:"head,omitempty"`
	// Published is a routing that was made.
	Published *Published `json:"published,omitempty"`
	Endpoints *Endpoints `json:"endpoints,omitempty"`
	Fleet     *Fleet     `json:"fleet,omitempty"`
	// Verdict is a check's result, unless it is that of the run before.
	Verdict *Verdict `json:"verdict,omitempty"`
	Window  *Window  `json:"window,omitempty"`
	// Record is what the live color did before, as it stood when the turn had come.
	Record *judge.Record `json:"record,omitempty"`
	// Turn is what other models say to a switch that waits for its turn.
	Turn    *rollout.Turn    `json:"turn,omitempty"`
	Command *rollout.Command `json:"command,omitempty"`
	// Asked is instances of a rolling switch that somebody was asked to let go, or for,
	// and Answered what the answer was.
	Asked    *Asked    `json:"asked,omitempty"`
	Answered *Answered `json:"answered,omitempty"`
	// Restarted: the control plane was started again; what it did not hear is missing.
	Restarted bool `json:"restarted,omitempty"`
	// Cut: there was more than a recording holds; users' requests are missing from here on.
	Cut bool `json:"cut,omitempty"`
	// Ended: the switch has an outcome.
	Ended bool `json:"ended,omitempty"`
}

// Head is how all was when a switch began.
type Head struct {
	State     rollout.State                 `json:"state"` // without its switch
	Endpoints Endpoints                     `json:"endpoints"`
	Fleet     Fleet                         `json:"fleet"`
	Records   rollout.ByColor[judge.Record] `json:"records"`
	Command   rollout.Command               `json:"command"`
}

// Published is a routing that was handed to the fleets.
type Published struct {
	Generation uint64          `json:"generation"`
	Weights    rollout.Weights `json:"weights"`
}

// Endpoints is an answer of the registry, in numbers.
type Endpoints struct {
	Ready   rollout.ByColor[[]Serving] `json:"ready"`
	Unready rollout.ByColor[int]       `json:"unready"`
	Problem string                     `json:"problem,omitempty"`
	// Unknown: there was none yet.
	Unknown bool `json:"unknown,omitempty"`
	// Out is how many instances of the old color make room in a rolling switch, and
	// Leaving how many of those are ready still.
	Out     int `json:"out,omitempty"`
	Leaving int `json:"leaving,omitempty"`
}

// Asked is a wish that instances be let go or, with Restore, come back. It has the same
// Key each time it is asked.
type Asked struct {
	Key       string `json:"key"`
	Restore   bool   `json:"restore,omitempty"`
	Instances int    `json:"instances"`
}

// Answered is the answer to that; Problem is empty when it was done.
type Answered struct {
	Key     string `json:"key"`
	Problem string `json:"problem,omitempty"`
}

// Serving is how many instances serve a version.
type Serving struct {
	Version string `json:"version"`
	Count   int    `json:"count"`
}

// Fleet is what the fleets said, in numbers.
type Fleet struct {
	Generation uint64              `json:"generation"`
	Connected  int                 `json:"connected"`
	Confirmed  bool                `json:"confirmed,omitempty"` // by all that are connected
	Stale      int                 `json:"stale,omitempty"`
	Rejected   []rollout.Rejection `json:"rejected,omitempty"` // the first ones
	// Behind is how many connected ones have not ACKed the newest endpoints of the old
	// color of a rolling switch.
	Behind int `json:"behind,omitempty"`
}

// Verdict is a check's result.
type Verdict struct {
	Check   string         `json:"check"`
	Result  rollout.Result `json:"result"`
	Summary string         `json:"summary"`
	Took    time.Duration  `json:"took"`
}

// Window is users' requests of a time.
type Window struct {
	Begin  time.Time              `json:"begin"`
	Users  []Routed               `json:"users,omitempty"`
	Shadow rollout.ByColor[Tally] `json:"shadow,omitzero"`
}

// Routed is users' requests that were routed by one pair of weights.
type Routed struct {
	Weights rollout.Weights        `json:"weights"`
	Colors  rollout.ByColor[Tally] `json:"colors"`
}

// Tally is what the judgement needs of a rollout.Tally.
type Tally struct {
	Requests int          `json:"n,omitempty"`
	Scaled   float64      `json:"s,omitempty"`
	Errors   int          `json:"e,omitempty"`
	Rejected int          `json:"r,omitempty"`
	Gone     int          `json:"g,omitempty"`
	Latency  judge.Sketch `json:"l,omitzero"`
}

func (t Tally) plus(o Tally) Tally {
	switch {
	case t.Requests == 0:
		return o
	case o.Requests == 0:
		return t
	}
	return Tally{
		Requests: t.Requests + o.Requests, Scaled: t.Scaled + o.Scaled, Errors: t.Errors + o.Errors,
		Rejected: t.Rejected + o.Rejected, Gone: t.Gone + o.Gone, Latency: judge.Merge(t.Latency, o.Latency),
	}
}

// Tally is t as the state machine sees it.
func (t Tally) Tally() rollout.Tally {
	return rollout.Tally{
		Requests: t.Requests, Scaled: t.Scaled, Errors: t.Errors, Rejected: t.Rejected, Gone: t.Gone, Latency: t.Latency,
	}
}

func tallyOf(t rollout.Tally) Tally {
	return Tally{Requests: t.Requests, Scaled: t.Scaled, Errors: t.Errors, Rejected: t.Rejected, Gone: t.Gone, Latency: t.Latency}
}

// endpointsOf counts what the registry says while s is how far the switch is.
func endpointsOf(f rollout.Facts, s rollout.State) Endpoints {
	e := f.Endpoints
	out := Endpoints{Problem: e.Problem, Unknown: !f.EndpointsKnown}
	for _, c := range policy.Colors {
		for _, version := range e.Versions(c) {
			n := 0
			for _, one := range e.Of(c) {
				if one.Version == version {
					n++
				}
			}
			*out.Ready.At(c) = append(out.Ready.Of(c), Serving{version, n})
		}
		*out.Unready.At(c) = e.Unready[c]
	}
	for _, b := range s.Rolled.Batches {
		out.Out += len(b.Instances)
	}
	if out.Out > 0 {
		from := s.Switch.From
		out.Leaving = len(e.Of(from)) - len(s.InService(e).Of(from))
	}
	return out
}

// namedRejections is how many a recording keeps of one report.
const namedRejections = 3

func fleetOf(r rollout.Report, sw *rollout.Switch) Fleet {
	out := Fleet{
		Generation: r.Generation, Connected: r.Connected, Stale: len(r.Stale),
		Confirmed: r.Settled && r.Acked == r.Connected && len(r.Rejected) == 0,
		Rejected:  r.Rejected[:min(len(r.Rejected), namedRejections)],
	}
	if sw != nil && sw.Plan.Rolling != nil {
		out.Behind = r.Behind[sw.From]
	}
	return out
}

// Pack is entries as they are kept: JSON, compressed.
func Pack(entries []Entry) ([]byte, error) { return pack(entries) }

// Unpack is the reverse of Pack.
func Unpack(part []byte) (entries []Entry, err error) {
	err = unpack(part, &entries)
	return entries, err
}

// Marshal is a whole recording as it is sent: JSON, compressed.
func (r Recording) Marshal() ([]byte, error) { return pack(r) }

// Unmarshal is the reverse of Marshal.
func Unmarshal(raw []byte) (r Recording, err error) {
	err = unpack(raw, &r)
	return r, err
}

func pack(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write recording: %w", err)
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(text); err != nil {
		return nil, fmt.Errorf("pack recording: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack recording: %w", err)
	}
	return out.Bytes(), nil
}

func unpack(raw []byte, v any) error {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("unpack recording: %w", err)
	}
	if err := json.NewDecoder(z).Decode(v); err != nil {
		return fmt.Errorf("read recording: %w", err)
	}
	return z.Close()
}
