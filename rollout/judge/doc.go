// Package judge compares two colors by what their own users met. Its tests may
// be looked at as often as one likes: the chance that one speaks against a color
// that is as good as the other stays below the risk that was asked for, whenever
// one looks and however long. It is pure: no clock, no I/O.
package judge
