// Package scenario tests policies: a file says how the world around a model is and
// changes over simulated time, and what should become of it. It is pure; whoever uses it
// reads the files.
package scenario
