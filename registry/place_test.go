package registry

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"greenlight/policy"
	"greenlight/rollout"
)

// model is a ready instance of the given color by meta; change alters it.
func model(id, color string, change ...func(*instance)) instance {
	in := instance{
		id: id, node: "n1", address: "10.0.0.1", port: 8080,
		meta: map[string]string{"color": color, "version": "7"}, weights: weights{1, 1},
	}
	for _, c := range change {
		c(&in)
	}
	return in
}

func numeric(address string) (netip.Addr, error) { return hosts{}.locate(address) }

func placeOne(d policy.Discovery, in ...instance) placed {
	return place(d, map[string][]instance{"fraud": in}, numeric)
}

func TestPlaceSortsAndCounts(t *testing.T) {
	p := placeOne(byMeta,
		model("g2", "green"), model("g1", "green"), model("b1", "blue"),
		model("b2", "blue", func(in *instance) { in.status = critical }),
		model("g3", "green", func(in *instance) { in.status = warning }),
		model("x", "purple"),
	)
	want := rollout.EndpointSet{
		Blue: []rollout.Endpoint{{ID: "b1", Address: "10.0.0.1", Port: 8080, Weight: 1, Version: "7"}},
		Green: []rollout.Endpoint{
			{ID: "g1", Address: "10.0.0.1", Port: 8080, Weight: 1, Version: "7"},
			{ID: "g2", Address: "10.0.0.1", Port: 8080, Weight: 1, Version: "7"},
		},
		Unready: map[policy.Color]int{policy.Blue: 1, policy.Green: 1},
	}
	if !same(p.set, want) {
		t.Errorf("placed %+v, want %+v", p.set, want)
	}
	if len(p.unplaced) != 1 || p.unplaced[0] != `x@n1: meta "color" is "purple"; must be "blue" or "green"` {
		t.Errorf("unplaced %q", p.unplaced)
	}
}

func TestPlaceReadiness(t *testing.T) {
	warns := byMeta
	warns.Warning = true
	weigh := func(p, w int) func(*instance) { return func(in *instance) { in.weights = weights{p, w} } }
	is := func(s status) func(*instance) { return func(in *instance) { in.status = s } }
	addr := func(a string) func(*instance) { return func(in *instance) { in.address = a } }
	for name, c := range map[string]struct {
		d      policy.Discovery
		in     instance
		weight uint32 // 0: not ready
		why    string
	}{
		"passing":                     {byMeta, model("a", "blue", weigh(7, 3)), 7, ""},
		"warning":                     {byMeta, model("a", "blue", weigh(7, 3), is(warning)), 0, ""},
		"warning that counts":         {warns, model("a", "blue", weigh(7, 3), is(warning)), 3, ""},
		"warning without weight":      {warns, model("a", "blue", weigh(7, 0), is(warning)), 0, ""},
		"passing without weight":      {byMeta, model("a", "blue", weigh(0, 1)), 0, ""},
		"critical":                    {warns, model("a", "blue", is(critical)), 0, ""},
		"no port":                     {byMeta, model("a", "blue", func(in *instance) { in.port = 0 }), 0, "port 0; must be 1 to 65535"},
		"no address":                  {byMeta, model("a", "blue", addr("")), 0, "has no address"},
		"unspecified address":         {byMeta, model("a", "blue", addr("0.0.0.0")), 0, "address 0.0.0.0 is unspecified"},
		"address with a zone":         {byMeta, model("a", "blue", addr("fe80::1%eth0")), 0, "address fe80::1%eth0 has a zone"},
		"IPv6":                        {byMeta, model("a", "blue", addr("2001:db8::1")), 1, ""},
		"a name that nobody resolved": {byMeta, model("a", "blue", addr("gpu-1")), 0, `host name "gpu-1" was not looked up`},
	} {
		t.Run(name, func(t *testing.T) {
			p := placeOne(c.d, c.in)
			switch {
			case c.weight == 0 && (len(p.set.Blue) != 0 || p.set.Unready[policy.Blue] != 1):
				t.Errorf("is ready: %+v", p.set)
			case c.weight != 0 && (len(p.set.Blue) != 1 || p.set.Blue[0].Weight != c.weight):
				t.Errorf("placed %+v, want weight %d", p.set, c.weight)
			}
			if got := strings.Join(p.broken, ""); !strings.HasSuffix(got, c.why) || (got == "") != (c.why == "") {
				t.Errorf("reason %q, want %q", got, c.why)
			}
		})
	}
}

func TestPlaceByTags(t *testing.T) {
	tagged := func(id string, tags ...string) instance {
		return model(id, "", func(in *instance) { in.tags = tags })
	}
	p := placeOne(policy.Discovery{Service: "fraud", ColorTags: true, VersionMeta: "version"},
		tagged("b", "gpu", "blue"), tagged("g", "green"), tagged("both", "blue", "green"), tagged("none"))
	if len(p.set.Blue) != 1 || len(p.set.Green) != 1 {
		t.Errorf("placed %+v", p.set)
	}
	want := []string{`both@n1: has both tags "blue" and "green"`, `none@n1: has neither tag "blue" nor "green"`}
	if slices.Sort(p.unplaced); !slices.Equal(p.unplaced, want) {
		t.Errorf("unplaced %q, want %q", p.unplaced, want)
	}
}

func TestPlaceTwoServices(t *testing.T) {
	d := policy.Discovery{Services: map[policy.Color]string{policy.Blue: "fraud-a", policy.Green: "fraud-b"}, VersionMeta: "version"}
	p := place(d, map[string][]instance{
		"fraud-a": {model("1", "green")}, // its meta means nothing here
		"fraud-b": {model("2", "")},
		"other":   {model("3", "blue")},
	}, numeric)
	if len(p.set.Blue) != 1 || p.set.Blue[0].ID != "1" || len(p.set.Green) != 1 || p.set.Green[0].ID != "2" {
		t.Errorf("placed %+v", p.set)
	}
}

func TestPlaceTellsEqualIDsApart(t *testing.T) {
	p := placeOne(byMeta, model("fraud", "blue"), model("other", "blue"),
		model("fraud", "green", func(in *instance) { in.node = "n2" }))
	ids := []string{p.set.Blue[0].ID, p.set.Blue[1].ID, p.set.Green[0].ID}
	if want := []string{"fraud@n1", "other", "fraud@n2"}; !slices.Equal(ids, want) {
		t.Errorf("ids %q, want %q", ids, want)
	}
}

// Whatever order a registry lists instances in, and whatever they look like,
// each is counted exactly once and the set is the same.
func TestPlaceIsWholeAndOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(rapid.Custom(drawInstance), 0, 12).Draw(t, "instances")
		d := byMeta
		d.Warning = rapid.Bool().Draw(t, "warning")
		p := placeOne(d, in...)
		total := len(p.set.Blue) + len(p.set.Green) + len(p.unplaced)
		for _, n := range p.set.Unready {
			total += n
		}
		if total != len(in) {
			t.Fatalf("%d instances became %d", len(in), total)
		}
		ids := map[string]bool{}
		for _, c := range policy.Colors {
			for _, e := range p.set.Of(c) {
				if e.Weight < 1 || e.Port < 1 || ids[e.ID] {
					t.Fatalf("bad endpoint %+v", e)
				}
				ids[e.ID] = true
			}
		}
		if !slices.IsSortedFunc(p.set.Blue, byID) || !slices.IsSortedFunc(p.set.Green, byID) {
			t.Fatalf("not sorted: %+v", p.set)
		}
		slices.Reverse(in)
		if again := placeOne(d, in...); !same(p.set, again.set) {
			t.Fatalf("order matters: %+v and %+v", p.set, again.set)
		}
	})
}

func drawInstance(t *rapid.T) instance {
	n := rapid.IntRange(0, 999).Draw(t, "n")
	in := model("", rapid.SampledFrom([]string{"blue", "green", "", "red"}).Draw(t, "color"))
	in.id = "i" + string(rune('a'+n%7))
	in.node = "n" + rapid.StringMatching(`[0-9]{9}`).Draw(t, "node") // differs: so does the pair
	in.port = rapid.SampledFrom([]int{0, 1, 8080, 65535, 70000}).Draw(t, "port")
	in.status = status(rapid.IntRange(0, 2).Draw(t, "status"))
	in.weights = weights{rapid.IntRange(0, 3).Draw(t, "passing"), rapid.IntRange(0, 3).Draw(t, "warning")}
	return in
}

func TestHostsKeepTheirAddress(t *testing.T) {
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	h := hosts{}
	h.merge(map[string][]netip.Addr{"gpu": {b, netip.MustParseAddr("2001:db8::1"), a}}, []string{"gpu"})
	if got, _ := h.locate("gpu"); got != a {
		t.Errorf("picked %s, want the smallest, %s", got, a)
	}
	h.merge(map[string][]netip.Addr{"gpu": {netip.MustParseAddr("10.0.0.0"), a}}, []string{"gpu"})
	if got, _ := h.locate("gpu"); got != a {
		t.Errorf("moved to %s though %s is still there", got, a)
	}
	h.merge(nil, []string{"gpu"})
	if got, err := h.locate("gpu"); got != a || err != nil {
		t.Errorf("a failing name server took the address away: %s, %v", got, err)
	}
	h.merge(map[string][]netip.Addr{"gpu": {b}}, []string{"gpu"})
	if got, _ := h.locate("gpu"); got != b {
		t.Errorf("stayed at %s, want %s", got, b)
	}
	if h.next() != resolveEvery {
		t.Errorf("next look-up in %s", h.next())
	}
	h.merge(nil, []string{"new"})
	if _, err := h.locate("new"); err == nil || h.next() != resolveFailed {
		t.Errorf("error %v, next look-up in %s", err, h.next())
	}
	if h.keep(nil); len(h) != 0 || h.next() != 0 {
		t.Errorf("keeps unused names: %v", h)
	}
}

func TestHostsFromIPv4InIPv6(t *testing.T) {
	if got, err := numeric("::ffff:10.0.0.1"); err != nil || got.String() != "10.0.0.1" {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := numeric(""); !strings.Contains(errors.Join(err).Error(), "no address") {
		t.Errorf("got %v", err)
	}
}
