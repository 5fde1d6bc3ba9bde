package scenario

import (
	"os"
	"path/filepath"
	"testing"

	"greenlight/policy"
)

// TestEveryExpectationCanFail: turned round one at a time, each expectation of these
// examples fails, so that none of them passes whatever happens.
func TestEveryExpectationCanFail(t *testing.T) {
	turned, names := 0, []string{"grpc.yaml", "minimal.yaml", "two-services.yaml", "linear.yaml", "canary.yaml"}
	if testing.Short() {
		names = names[:3]
	}
	for _, name := range names {
		file := filepath.Join("../../examples/scenarios", name)
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tests, problems := Parse(file, raw, func(path string) policy.Reading {
			return policy.ReadPath(filepath.Join(filepath.Dir(file), path))
		})
		for _, p := range problems {
			t.Fatal(p)
		}
		for _, test := range tests {
			for i := range test.entries {
				for _, x := range test.entries[i].expectations() {
					right := *x.rawExpect
					x.turnRound()
					if r := test.Run(); r.Passed() {
						t.Errorf("%s:%d: %s passes turned round", file, test.entries[i].lines[x.key], x.key)
					}
					*x.rawExpect = right
					turned++
				}
			}
			if r := test.Run(); !r.Passed() {
				t.Errorf("%s does not pass any more:\n%s", test.Name, r.Text(true))
			}
		}
	}
	if turned < 15 {
		t.Errorf("only %d expectations were turned round", turned)
	}
}

// turnRound makes an expectation one that the world of the examples does not meet.
func (x expected) turnRound() {
	within, length := x.Within, x.For
	*x.rawExpect = rawExpect{Within: within, For: length, Refused: x.Refused}
	if x.key == "never" { // it always is one of the two
		x.Mirror = new(weight)
		return
	}
	x.Actor = new(string)
	*x.Actor = "nobody"
}
