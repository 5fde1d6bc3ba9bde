// Package judge compares two colors by what their own users met. Its tests may
// be looked at as often as one likes: the chance that one speaks against a color
// that is as good as the other is meant to stay below the risk that was asked for,
// whenever one looks and however long. For requests that are independent of each
// other that is proved; for bursts, incidents and retries it is tempered and
// simulated (process says how, docs/judgement.md how far). It is pure: no clock, no I/O.
package judge
