// Package resource builds what Envoys and gRPC clients are told: pure functions
// from routing intent (policy, live color, weights, endpoints) to xDS
// resources. Equal intent gives equal bytes.
package resource

import (
	"greenlight/policy"
	"greenlight/rollout"
)

// ColorHeader is the response header that tells which color answered.
const ColorHeader = rollout.ColorHeader

// Model is the routing intent of one model. Live is a valid color and Weights
// add up to policy.Full.
type Model struct {
	Policy  *policy.Model
	Live    policy.Color
	Weights rollout.Weights
	// Mirror sends copies of users' requests to a color that answers nobody.
	Mirror rollout.Mirror
	// Token is what Policy.Route.PreviewToken stands for. Empty: it can't be had,
	// and a preview that asks for one is closed.
	Token string
}

// ClusterName is the name of a color's cluster, and of its endpoints (EDS).
func ClusterName(model string, c policy.Color) string {
	return model + "/" + string(c)
}

// ModelRoutes is the name of the route configuration that proxyless gRPC
// clients of a model ask for. It can't meet a cluster's name: routes is no color.
func ModelRoutes(model string) string { return model + "/routes" }
