// Package simulate runs one model in a world of its own: a registry, fleets, users,
// checks and whoever lets instances go, all of which do what they are told to at
// times that are simulated. What decides is rollout.Step, with actions carried out as
// reconcile does it, so that days of a bake pass in milliseconds.
//
// It is pure: nothing in it depends on a clock, on chance or on the order of two
// goroutines, and the same world tells the same story every time.
package simulate
