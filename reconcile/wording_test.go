package reconcile

import "testing"

func TestWording(t *testing.T) {
	tests := []struct {
		a, b string
		same bool
	}{
		{"green was seen to answer 3 of the 100 requests that a judgement needs", "green was seen to answer 97 of the 100 requests that a judgement needs", true},
		{"green is slower: p99 is 41.2ms against 1.2s, by 300 requests (evidence 3.1 to 1, 200 to 1 is enough)",
			"green is slower: p99 is 40ms against 1m1s, by 900 requests (evidence 0.5 to 1, 200 to 1 is enough)", true},
		{"1% of 3 requests: late", "0.25% of 3000 requests: late", true},
		{"node edge-1 rejected it", "node edge-2 rejected it", false},
		{"10.0.0.7:8080 is away", "10.0.0.8:8080 is away", false},
		{"silent since 2026-11-01T12:00:00Z", "silent since 2026-11-01T12:00:01Z", false},
		{"blue is away", "green is away", false},
		{"", "green is away", false},
	}
	for _, tt := range tests {
		if got := wording(tt.a) == wording(tt.b); got != tt.same {
			t.Errorf("%q and %q are the same problem: %v", tt.a, tt.b, got)
		}
	}
}
