package check_test

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"greenlight/check"
	"greenlight/policy"
	"greenlight/rollout"
)

func countJob(c policy.EndpointsCheck, green, blue int) rollout.CheckJob {
	j := job([]policy.Check{{Name: "endpoints", Endpoints: &c}})
	j.Endpoints.Green = make([]rollout.Endpoint, green)
	j.Endpoints.Blue = make([]rollout.Endpoint, blue)
	return j
}

func TestEndpointsCounts(t *testing.T) {
	for _, c := range []struct {
		min         int
		ofLive      policy.Weight
		green, blue int
		needed      int
		want        rollout.Result
	}{
		{1, policy.Full, 1, 1, 1, rollout.Pass},
		{1, policy.Full, 2, 3, 3, rollout.Fail},
		{1, 5000, 2, 3, 2, rollout.Pass}, // 1.5 rounds up
		{1, 5000, 1, 3, 2, rollout.Fail},
		{1, 5001, 1, 2, 2, rollout.Fail},
		{4, 5000, 3, 2, 4, rollout.Fail},
		{1, policy.Full, 0, 0, 1, rollout.Fail}, // nothing is live: Min still stands
		{2, 0, 2, 9, 2, rollout.Pass},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			j := countJob(policy.EndpointsCheck{Min: c.min, OfLive: c.ofLive}, c.green, c.blue)
			v := check.New(check.Options{}).Run(context.Background(), j)[0]
			wantVerdict(t, v, c.want)
			wantFigures(t, v, map[string]float64{"ready": float64(c.green), "needed": float64(c.needed), "live": float64(c.blue)})
			if failed := v.Result == rollout.Fail; failed != (len(v.Evidence) == 1) {
				t.Errorf("evidence %v of a %s", v.Evidence, v.Result)
			}
		})
	}
}

func TestEndpointsSaysWhatItCounted(t *testing.T) {
	j := countJob(policy.EndpointsCheck{Min: 1, OfLive: 7550}, 2, 3)
	j.Endpoints.Unready = map[policy.Color]int{policy.Green: 4}
	j.Endpoints.Problem = "consul: connection refused"
	v := check.New(check.Options{}).Run(context.Background(), j)[0]
	wantVerdict(t, v, rollout.Fail,
		"green has 2 ready endpoints, needs 3 (at least 1, and 75.5% of the 3 that blue has)",
		"the registry's last good answer: consul: connection refused")
	if got := v.Evidence[0].Got; got != "2 ready, 4 registered but not ready" {
		t.Errorf("got %q", got)
	}
}

// In the bake the judged color is live itself; what it is compared with is the
// color that it came after.
func TestEndpointsComparesWithTheOtherColorInTheBake(t *testing.T) {
	j := countJob(policy.EndpointsCheck{Min: 1, OfLive: policy.Full}, 2, 3)
	j.Live = j.Target
	v := check.New(check.Options{}).Run(context.Background(), j)[0]
	wantVerdict(t, v, rollout.Fail, "needs 3 (at least 1, and 100% of the 3 that blue has)")
	wantFigures(t, v, map[string]float64{"ready": 2, "needed": 3, "live": 3})
}

func TestEndpointsPassesExactlyWhenThereAreEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := policy.EndpointsCheck{
			Min:    rapid.IntRange(1, 50).Draw(t, "min"),
			OfLive: policy.Weight(rapid.IntRange(0, int(policy.Full)).Draw(t, "ofLive")),
		}
		green, blue := rapid.IntRange(0, 60).Draw(t, "green"), rapid.IntRange(0, 60).Draw(t, "blue")
		v := check.New(check.Options{}).Run(context.Background(), countJob(c, green, blue))[0]
		enough := green >= c.Min && green*int(policy.Full) >= blue*int(c.OfLive)
		if (v.Result == rollout.Pass) != enough {
			t.Fatalf("%s, but enough = %v", v.Summary, enough)
		}
	})
}
