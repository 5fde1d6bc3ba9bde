package judge_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"greenlight/rollout/judge"
)

func sampleOf(requests, bad int, seconds ...float64) judge.Sample {
	var r judge.Recorder
	for i := range requests {
		if len(seconds) > 0 {
			r.Add(seconds[i%len(seconds)])
		}
	}
	return judge.Sample{Requests: requests, Bad: bad, Latency: r.Sketch()}
}

func drawSample(t *rapid.T, name string) judge.Sample {
	n := rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 300)).Draw(t, name)
	bad := rapid.IntRange(0, n).Draw(t, name+" bad")
	return sampleOf(n, bad, rapid.SliceOfN(rapid.Float64Range(1e-7, 1e6), 0, 5).Draw(t, name+" seconds")...)
}

// Whatever comes, figures are finite, values survive the journal with the same
// verdicts, and no value is changed by a look.
func TestAnyTrafficGivesFiniteFiguresThatSurviveTheJournal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var test, readTest judge.Test
		var record judge.Record
		for range 20 {
			record = record.Add(drawSample(t, "past"))
		}
		alone := judge.NewAlone(record)
		readAlone := again(t, alone)
		for range rapid.IntRange(1, 20).Draw(t, "looks") {
			live, idle := drawSample(t, "live"), drawSample(t, "idle")
			was := again(t, test)
			next := test.Look(byDefault, live, idle)
			if !reflect.DeepEqual(was, again(t, test)) {
				t.Fatal("a look changed the value that it was asked of")
			}
			test, readTest = next, again(t, readTest).Look(byDefault, live, idle)
			alone, readAlone = alone.Look(byDefault, idle), again(t, readAlone).Look(byDefault, idle)
			for _, pair := range [][2]judge.Finding{
				{test.Finding(byDefault), readTest.Finding(byDefault)}, {alone.Finding(byDefault), readAlone.Finding(byDefault)},
			} {
				if pair[0] != pair[1] {
					t.Fatalf("found %+v, and %+v after the journal", pair[0], pair[1])
				}
				for _, x := range []float64{pair[0].Evidence, pair[0].Needed, pair[0].LiveErrors, pair[0].IdleErrors, pair[0].LiveLatency, pair[0].IdleLatency} {
					if math.IsNaN(x) || math.IsInf(x, 0) || x < 0 {
						t.Fatalf("not a figure: %+v", pair[0])
					}
				}
			}
		}
	})
}

func again[T any](t *rapid.T, v T) T {
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 8<<10 {
		t.Fatalf("%T takes %d bytes of the journal", v, len(text))
	}
	var read T
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestNothingFollowsFromAColorWithoutTraffic(t *testing.T) {
	some, none := sampleOf(50, 5, 0.1), judge.Sample{}
	test := judge.Test{}.Look(byDefault, some, some)
	if !reflect.DeepEqual(test, test.Look(byDefault, some, none)) || !reflect.DeepEqual(test, test.Look(byDefault, none, some)) {
		t.Error("a window without requests of one color changed the comparison")
	}
	alone := judge.NewAlone(judge.Record{}.Add(some))
	if !reflect.DeepEqual(alone, alone.Look(byDefault, none)) {
		t.Error("a window without requests changed the comparison with the record")
	}
}

// An outage of the new color is found within two windows, also after a good hour,
// and the other color's outage never speaks against the new one.
func TestAnOutageIsFoundWithinTwoWindows(t *testing.T) {
	for _, good := range []int{1, 60, 3600} {
		var test, swapped judge.Test
		alone := judge.NewAlone(recordOf(300))
		for i := range good {
			live, idle := sampleOf(475, 4+i%3, 0.1, 0.2), sampleOf(25, i%4/3, 0.1, 0.2)
			test, swapped = test.Look(byDefault, live, idle), swapped.Look(byDefault, live, idle)
			alone = alone.Look(byDefault, live)
		}
		if f := test.Finding(byDefault); f.Worse {
			t.Fatalf("after %d good windows: %+v", good, f)
		}
		for range 2 {
			test = test.Look(byDefault, sampleOf(475, 5, 0.1, 0.2), sampleOf(25, 25, 0.1, 0.2))
			swapped = swapped.Look(byDefault, sampleOf(475, 475, 0.1, 0.2), sampleOf(25, 0, 0.1, 0.2))
			alone = alone.Look(byDefault, sampleOf(475, 475, 0.1, 0.2))
		}
		if f := test.Finding(byDefault); !f.Worse || f.Metric != judge.MetricErrors {
			t.Errorf("not found after %d good windows: %+v", good, f)
		}
		if f := swapped.Finding(byDefault); f.Worse {
			t.Errorf("the live color's outage speaks against idle: %+v", f)
		}
		if f := alone.Finding(byDefault); !f.Worse {
			t.Errorf("alone, not found after %d good windows: %+v", good, f)
		}
	}
}

// Where hardly anything is known of the color before, an outage is found all the same,
// and nothing else: what was not measured is not held against the new one.
func TestAThinRecordTellsAnOutageAlone(t *testing.T) {
	thin := judge.Record{}.Add(sampleOf(10, 0, 0.1, 0.2))
	for failed, worse := range map[int]bool{100: true, 90: true, 50: false, 20: false} {
		for _, past := range []judge.Record{{}, thin} {
			alone := judge.NewAlone(past)
			for range 600 {
				alone = alone.Look(byDefault, sampleOf(100, failed, 1, 2))
			}
			if f := alone.Finding(byDefault); f.Worse != worse {
				t.Errorf("%d of 100 fail, the record has %d: %+v", failed, past.Requests(), f)
			}
		}
	}
}

// A pause in the few windows that a record has makes it doubtful how much the color's
// latency swings by itself. What takes a hundred times as long is slower all the same.
func TestAPauseInAShortRecordHidesNoSlowness(t *testing.T) {
	record := judge.Record{}.Add(sampleOf(400, 0, 0.3, 0.4))
	for range 5 {
		record = record.Add(sampleOf(400, 0, 0.001, 0.002))
	}
	alone, same := judge.NewAlone(record), judge.NewAlone(record)
	for range 60 {
		alone, same = alone.Look(byDefault, sampleOf(400, 0, 0.2, 0.2)), same.Look(byDefault, sampleOf(400, 0, 0.001, 0.002))
	}
	if f := alone.Finding(byDefault); !f.Worse || f.Metric != judge.MetricLatency {
		t.Errorf("not found: %+v", f)
	}
	if f := same.Finding(byDefault); f.Worse {
		t.Errorf("what is as before was found: %+v", f)
	}
}

func recordOf(windows int) judge.Record {
	var r judge.Record
	for i := range windows {
		r = r.Add(sampleOf(475, 4+i%3, 0.1, 0.2))
	}
	return r
}

// The mean of the e-values of independent draws is at most 1, at several moments.
func TestEvidenceIsFairToEqualVersions(t *testing.T) {
	const runs = 2000
	moments := map[int]float64{5: 0, 40: 0, 200: 0}
	only := judge.Config{Risk: 0.01, Errors: true, ErrorTolerance: 1}
	for seed := range uint64(runs) {
		random := rand.New(rand.NewPCG(seed, 1))
		var test judge.Test
		for look := 1; look <= 200; look++ {
			draw := func(n int) judge.Sample {
				bad := 0
				for range n {
					if random.Float64() < 0.05 {
						bad++
					}
				}
				return judge.Sample{Requests: n, Bad: bad}
			}
			test = test.Look(only, draw(20), draw(10))
			if _, ok := moments[look]; ok {
				moments[look] += test.Finding(only).Evidence / runs
			}
		}
	}
	for look, mean := range moments {
		if mean > 1.1 { // tempering only lowers it
			t.Errorf("after %d looks the mean e-value is %.2f", look, mean)
		}
	}
}

// Two hours of equal and of thin traffic, looked at every second.
func TestALongWatchOfEqualVersionsFindsNothing(t *testing.T) {
	wrong := 0
	for seed := range uint64(40) {
		w := newWorld(family{rate: 5, bad: 0.02, bursty: true, shared: true, retries: true}, seed)
		var test judge.Test
		for range 7200 {
			live, idle := w.second(0.25, regression{})
			test = test.Look(byDefault, live, idle)
			if test.Finding(byDefault).Worse {
				wrong++
				break
			}
		}
	}
	if wrong > 2 { // 0.4 are expected at most; three have a probability below 1 %
		t.Errorf("%d of 40 long watches were wrong", wrong)
	}
}

func TestShareAndLimit(t *testing.T) {
	offEqual, broken, offOther, brokenOther := 0, 0, 0, 0
	for seed := range uint64(300) {
		w := newWorld(family{}, seed)
		var share, other judge.Share
		var within, beyond judge.Limit
		var a, b, c, d bool
		for range 200 {
			share = share.Look(w.binomial(50, 0.05), 50, 0.05)
			other = other.Look(w.binomial(50, 0.08), 50, 0.05)
			within, beyond = within.Look(w.binomial(50, 0.01), 50, 0.01), beyond.Look(w.binomial(50, 0.03), 50, 0.01)
			a, b = a || share.Off(0.01), b || other.Off(0.01)
			c, d = c || within.Broken(0.01), d || beyond.Broken(0.01)
		}
		for _, n := range []struct {
			is    bool
			count *int
		}{{a, &offEqual}, {b, &offOther}, {c, &broken}, {d, &brokenOther}} {
			if n.is {
				*n.count++
			}
		}
		if share.Requests() != 10_000 || within.Requests() != 10_000 {
			t.Fatal("requests were not counted")
		}
	}
	if offEqual > 9 || broken > 9 { // 3 expected at most
		t.Errorf("of 300, %d shares as intended were off and %d limits kept were broken", offEqual, broken)
	}
	if offOther < 285 || brokenOther < 285 {
		t.Errorf("of 300, only %d shares of 8 %% instead of 5 %% and %d rates of 3 %% instead of 1 %% were found", offOther, brokenOther)
	}
}

func BenchmarkLook(b *testing.B) {
	w := newWorld(family{rate: 500, bad: 0.01}, 1)
	live, idle := w.second(0.25, regression{})
	var test judge.Test
	b.ReportAllocs()
	for b.Loop() {
		test = test.Look(byDefault, live, idle)
	}
}
