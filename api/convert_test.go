package api_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"greenlight/api"
	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/policy/calendar"
	"greenlight/rollout"
	"greenlight/rollout/judge"
)

// notShown are the fields that the API leaves out on purpose; [] is any index.
var notShown = map[string]string{
	"State.Facts.Endpoints": "Status.Endpoints says it",
	"State.Facts.Report":    "Status.Report says it",

	"State.Facts.Rediscovering":  "EndpointsKnown is false meanwhile",
	"State.Facts.EndpointsKnown": "TestKnown tries it: what is shown is known",
	"State.Facts.Resized":        "what an instance carries is learned while it stands; Return.Carried says it",
	"State.PolicyAt":             "what rejections are weighed against; policy_generation says that the change is open",
	"State.Rolled.Withdrawn":     "what keys are told apart by; Rolled.Key has it",
	"Report.Envoys":              "who is silent is told by it; Status.Silent names them",
	"Report.Behind":              "a batch waits for it, and the problem says how many",
	"State.Facts.ReportKnown":    "TestKnown tries it: what is shown is known",

	"State.Switch.Verdicts[].Detail": "only reports show it",
	"Switch.Verdicts[].Detail":       "Stages.Verdicts show it",

	"State.Facts.Traffic":  "Status.Traffic says it",
	"State.Judging.Test":   "the books of a sequential test; Status.Judgement and the verdicts give its figures",
	"State.Judging.Record": "the same",
	"State.Judging.Alone":  "the same",
	"State.Judging.Slowed": "the same",
	"State.Judging.Limits": "the same",
	"State.Judging.Share":  "the same; traffic.share is the share that was observed lately",

	"Return.Asked": "TestNothingToShow tries it: what was not asked is unset",

	"State.Facts.Turn.Granted":  "it is taken in the same moment; queued.why says what is waited for",
	"State.Facts.Turn.Why":      "queued.why says it",
	"State.Facts.Turn.Position": "queued.why says it",
	"State.Facts.Turn.Of":       "queued.why says it",

	"Traffic.Nodes":                    "what silence is told by; Status.Silent names who is missed",
	"Traffic.Records":                  "what a new color is compared with when it is alone; the verdicts give the figures",
	"Traffic.Shares":                   "a fleet may have ten thousand nodes; judgements name those that stray",
	"Traffic.Instances":                "judgements name those that fail",
	"Traffic.Recent[].Nodes":           "Traffic.Shares adds it up",
	"Traffic.Recent[].Endpoints":       "Traffic.Instances adds it up",
	"Traffic.Recent[].Users[].Weights": "TestShareIsOfThePresentWeights tries it: they only choose what counts for the share",
}

func init() {
	for _, tally := range []string{"Users[].Colors.Blue", "Users[].Colors.Green", "Shadow.Blue", "Shadow.Green", "Preview.Blue", "Preview.Green"} {
		for _, field := range []string{"Classes", "GRPC", "Flags"} {
			notShown["Traffic.Recent[]."+tally+"."+field] = "error_ratio and rejected_ratio add it up; the metrics count it by class"
		}
	}
}

var index = regexp.MustCompile(`\[\d+\]`)

// neverSet are the fields of messages that stay unset where statuses and switches are shown.
var neverSet = []string{".state.switch.verdicts.detail", ".switch.verdicts.detail"}

// words are the values of the string types that the API turns into enums.
var words = map[reflect.Type][]string{
	reflect.TypeFor[policy.Color]():           {"blue", "green"},
	reflect.TypeFor[policy.Protocol]():        {"http1", "grpc"},
	reflect.TypeFor[policy.PredictProtocol](): {"open-inference", "json"},
	reflect.TypeFor[policy.MLflowFormat]():    {"split", "inputs"},
	reflect.TypeFor[policy.OnInconclusive]():  {"fail", "hold"},
	reflect.TypeFor[rollout.ChartKind]():      {"line", "bars"},
	reflect.TypeFor[policy.Otherwise]():       {"rollback", "hold"},
	reflect.TypeFor[policy.ThinOtherwise]():   {"rollback", "promote"},
	reflect.TypeFor[policy.Shape]():           {"linear", "canary"},
	reflect.TypeFor[policy.Act]():             {"shift", "retire"},
	reflect.TypeFor[rollout.Phase]():          {"baking", "held"},
	reflect.TypeFor[rollout.Outcome]():        {"refused", "aborted"},
	reflect.TypeFor[rollout.Result]():         {"pass", "fail"},
}

// Every field of a Status, as deep as it goes, makes a difference to the
// message: change any one and the message changes. A field that someone adds
// to rollout or policy and forgets here fails this test.
func TestEveryFieldOfStatusArrives(t *testing.T) {
	st := &rollout.Status{}
	fill(reflect.ValueOf(st).Elem())
	for i := range st.Traffic.Recent { // a window lasts
		w := &st.Traffic.Recent[i]
		w.Begin = w.Begin.Add(-time.Second)
	}
	everyLeaf(t, reflect.ValueOf(st).Elem(), func() proto.Message { return api.ModelStatus(*st) })
}

func TestEveryFieldOfFleetArrives(t *testing.T) {
	f := &rollout.FleetView{}
	fill(reflect.ValueOf(f).Elem())
	everyLeaf(t, reflect.ValueOf(f).Elem(), func() proto.Message { return api.Fleet(*f) })
}

func TestEveryFieldOfOriginArrives(t *testing.T) {
	o := &policy.Origin{}
	fill(reflect.ValueOf(o).Elem())
	everyLeaf(t, reflect.ValueOf(o).Elem(), func() proto.Message {
		s := serve(t, newModels(), &history{}, nil, *o)
		r, err := s.client.ListModels(t.Context(), &adminv1.ListModelsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return r.GetPolicies()
	})
}

func TestEveryFieldOfAssessmentArrives(t *testing.T) {
	a := &rollout.Assessment{}
	fill(reflect.ValueOf(a).Elem())
	everyLeaf(t, reflect.ValueOf(a).Elem(), func() proto.Message { return api.Assessment(*a) })
}

func everyLeaf(t *testing.T, v reflect.Value, convert func() proto.Message) {
	t.Helper()
	whole := proto.Clone(convert()) // messages may share slices with what they show
	unset := unsetFields(whole.ProtoReflect(), "")
	unset = slices.DeleteFunc(unset, func(path string) bool { return slices.Contains(neverSet, path) || strings.Contains(path, ".calendar.") }) // TestCalendarArrives tries those
	if len(unset) > 0 {
		t.Errorf("of a full value these stay unset: %s", strings.Join(unset, ", "))
	}
	n := 0
	leaves(v, "", func(path string, change func() (undo func())) {
		n++
		undo := change()
		same := proto.Equal(whole, convert())
		undo()
		if same {
			t.Errorf("%s does not arrive", path)
		}
	})
	if !proto.Equal(whole, convert()) {
		t.Error("the test did not put back what it changed")
	}
	if n == 0 {
		t.Error("no field was tried")
	}
}

// fill sets everything below v to something other than its zero value.
func fill(v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000, 5).UTC()))
	case v.Type() == reflect.TypeFor[judge.Sketch]():
		v.Set(reflect.ValueOf(sketch(3)))
	case v.Type() == reflect.TypeFor[calendar.Calendar]():
		v.Set(reflect.ValueOf(plan("end of the year")))
	case v.Type().PkgPath() == reflect.TypeFor[judge.Sketch]().PkgPath():
		// The books of the tests are their own.
	case v.Type() == reflect.TypeFor[[]policy.Check]():
		v.Set(reflect.ValueOf(everyCheck()))
	default:
		fillKind(v)
	}
}

// plan is a calendar that has every field.
func plan(reason string) calendar.Calendar {
	c, err := calendar.New(calendar.Plan{
		Zone:    "UTC",
		Windows: []calendar.Span{{Days: []string{"mon-fri"}, From: "09:00", To: "17:00"}},
		Freeze:  []calendar.Span{{Cron: "0 9 1 * *", For: time.Hour, Reason: reason}},
	})
	if err != nil {
		panic(err)
	}
	return c
}

func TestCalendarArrives(t *testing.T) {
	got := api.Policy(&policy.Model{Calendar: plan("a launch")}).GetCalendar()
	want := &adminv1.Calendar{
		Zone:    "UTC",
		Windows: []*adminv1.CalendarSpan{{Days: []string{"mon-fri"}, From: "09:00", To: "17:00"}},
		Freeze:  []*adminv1.CalendarSpan{{Cron: "0 9 1 * *", Lasts: durationpb.New(time.Hour), Reason: "a launch"}},
	}
	if !proto.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

// sketch holds a request for each of seconds.
func sketch(seconds ...float64) judge.Sketch {
	var r judge.Recorder
	for _, s := range seconds {
		r.Add(s)
	}
	return r.Sketch()
}

// everyCheck is one check of each kind, filled.
func everyCheck() []policy.Check {
	var out []policy.Check
	for field := range reflect.TypeFor[policy.Check]().Fields() {
		if field.Type.Kind() != reflect.Pointer {
			continue
		}
		var c policy.Check
		v := reflect.ValueOf(&c).Elem()
		for i := range v.NumField() {
			if v.Type().Field(i).Name == field.Name || v.Field(i).Kind() != reflect.Pointer {
				fill(v.Field(i))
			}
		}
		out = append(out, c)
	}
	return out
}

func fillKind(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for _, key := range keysOf(v.Type().Key()) {
			value := reflect.New(v.Type().Elem()).Elem()
			fill(value)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		v.SetString(wordsOf(v.Type())[0])
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(3)
	case reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(3)
	case reflect.Float64:
		v.SetFloat(3)
	default:
		panic(fmt.Sprintf("the test can't fill a %s", v.Type()))
	}
}

// keysOf is two keys of a map.
func keysOf(t reflect.Type) []reflect.Value {
	if t.Kind() != reflect.String {
		return []reflect.Value{reflect.ValueOf(1).Convert(t), reflect.ValueOf(2).Convert(t)}
	}
	var out []reflect.Value
	for _, w := range wordsOf(t) {
		out = append(out, reflect.ValueOf(w).Convert(t))
	}
	return out
}

func wordsOf(t reflect.Type) []string {
	if w, ok := words[t]; ok {
		return w
	}
	return []string{"one", "two"}
}

// leaves calls visit for everything below v that has a value of its own.
func leaves(v reflect.Value, path string, visit func(path string, change func() func())) {
	if _, skip := notShown[index.ReplaceAllString(path, "[]")]; skip {
		return
	}
	switch {
	case v.Type() == reflect.TypeFor[calendar.Calendar](): // TestCalendarArrives tries its fields
		visit(path, func() func() {
			old := v.Interface()
			v.Set(reflect.ValueOf(plan("a launch")))
			return func() { v.Set(reflect.ValueOf(old)) }
		})
	case v.Type() == reflect.TypeFor[judge.Sketch]():
		visit(path, func() func() {
			old := v.Interface()
			v.Set(reflect.ValueOf(sketch(slices.Repeat([]float64{9}, 20)...)))
			return func() { v.Set(reflect.ValueOf(old)) }
		})
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		for i := range v.NumField() {
			leaves(v.Field(i), strings.TrimPrefix(path+"."+v.Type().Field(i).Name, "."), visit)
		}
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() {
			leaves(v.Elem(), path, visit)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			leaves(v.Index(i), path+"["+strconv.Itoa(i)+"]", visit)
		}
	case v.Kind() == reflect.Map:
		for _, key := range v.MapKeys() {
			visit(fmt.Sprintf("%s[%v]", path, key), func() func() {
				old := v.MapIndex(key)
				v.SetMapIndex(key, reflect.Value{})
				return func() { v.SetMapIndex(key, old) }
			})
		}
	default:
		visit(path, func() func() {
			old := reflect.New(v.Type()).Elem()
			old.Set(v)
			alter(v)
			return func() { v.Set(old) }
		})
	}
}

// alter gives a leaf another value than fill did.
func alter(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		v.Set(reflect.ValueOf(v.Interface().(time.Time).Add(time.Second)))
	case reflect.String:
		w := wordsOf(v.Type())
		v.SetString(w[(slices.Index(w, v.String())+1)%len(w)])
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Float64:
		v.SetFloat(v.Float() + 1)
	default:
		v.SetUint(v.Uint() + 1)
	}
}

// Weights are what is published to the hundredth of a percent.
func TestWeightsArePercent(t *testing.T) {
	for w, want := range map[policy.Weight]float64{0: 0, 1: 0.01, 50: 0.5, 3333: 33.33, policy.Full: 100} {
		st := rollout.Status{State: rollout.State{Weights: rollout.Split(policy.Green, w)}}
		got := api.ModelStatus(st).GetState().GetWeights()
		if got.GetGreenPercent() != want || got.GetBluePercent() != float64(policy.Full-w)/100 {
			t.Errorf("%d is shown as %v, want green %v", w, got, want)
		}
	}
}

// What was heard is known, whether the state came with its facts or not.
func TestKnown(t *testing.T) {
	one := []rollout.Endpoint{{ID: "a"}}
	tests := map[string]struct {
		st                rollout.Status
		endpoints, report bool
	}{
		"nothing":        {},
		"facts":          {rollout.Status{State: rollout.State{Facts: rollout.Facts{EndpointsKnown: true, ReportKnown: true}}}, true, true},
		"blue":           {rollout.Status{Endpoints: rollout.EndpointSet{Blue: one}}, true, false},
		"green":          {rollout.Status{Endpoints: rollout.EndpointSet{Green: one}}, true, false},
		"problem":        {rollout.Status{Endpoints: rollout.EndpointSet{Problem: "gone"}}, true, false},
		"settled, empty": {rollout.Status{Report: rollout.Report{Settled: true}}, false, true},
		"first node":     {rollout.Status{Report: rollout.Report{Connected: 1}}, false, true},
		"lost nodes":     {rollout.Status{Report: rollout.Report{Stale: []rollout.Stale{{Node: "n"}}}}, false, true},
	}
	for name, tt := range tests {
		st := api.ModelStatus(tt.st).GetState()
		if st.GetEndpointsKnown() != tt.endpoints || st.GetReportKnown() != tt.report {
			t.Errorf("%s: endpoints known %v, report known %v", name, st.GetEndpointsKnown(), st.GetReportKnown())
		}
	}
}

// The share is compared with the weights that stand, so what was routed by others
// does not count.
func TestShareIsOfThePresentWeights(t *testing.T) {
	routed := func(w rollout.Weights, blue, green int) rollout.Routed {
		return rollout.Routed{Weights: w, Colors: rollout.ByColor[rollout.Tally]{
			Blue:  rollout.Tally{Requests: blue, Scaled: float64(blue)},
			Green: rollout.Tally{Requests: green, Scaled: float64(green)},
		}}
	}
	now, before := rollout.Split(policy.Green, 2500), rollout.Split(policy.Green, 500)
	st := rollout.Status{State: rollout.State{Weights: now}}
	st.Traffic.Recent = []rollout.Window{{
		Begin: time.Unix(1, 0), End: time.Unix(2, 0), Users: []rollout.Routed{routed(before, 95, 5), routed(now, 75, 25)},
	}}
	got := api.ModelStatus(st).GetTraffic()
	if s := got.GetShare(); s.GetBluePercent() != 75 || s.GetGreenPercent() != 25 {
		t.Errorf("share %v, want 75 and 25", s)
	}
	if u := got.GetUsers(); u.GetBlue().GetRequests() != 170 || u.GetGreen().GetRequests() != 30 {
		t.Errorf("users' requests %v, want those of all weights", u)
	}
}

// What was not measured or not asked is unset, and not zero.
func TestNothingToShow(t *testing.T) {
	m := api.ModelStatus(rollout.Status{Return: rollout.Readiness{Endpoints: 2}})
	st := m.GetState()
	if m.GetTraffic() != nil || m.GetReturnReadiness() != nil || st.GetMirror() != nil || st.GetJudging() != nil ||
		st.GetCarriedBlue() != nil || st.GetHoldUntil() != nil {
		t.Errorf("a status without traffic says %v", m)
	}
	quiet := rollout.Traffic{Recent: []rollout.Window{{Begin: time.Unix(1, 0), End: time.Unix(2, 0)}}}
	got := api.ModelStatus(rollout.Status{Traffic: quiet}).GetTraffic()
	if got.GetUntil() == nil || got.GetUsers() != nil || got.GetShare() != nil || got.GetShadow() != nil {
		t.Errorf("a second without requests is shown as %v", got)
	}
}

func TestEmptyStatus(t *testing.T) {
	m := api.ModelStatus(rollout.Status{})
	if m.GetPolicy() != nil || m.GetState().GetSwitch() != nil || m.GetPolicySince() != nil || m.GetState().GetDeadline() != nil {
		t.Errorf("an empty status says %v", m)
	}
}

// Every constant of the string types that become enums has a number of its own.
func TestEnumsAreComplete(t *testing.T) {
	check := func(c policy.Check) proto.Message { return api.Policy(&policy.Model{Validate: []policy.Check{c}}) }
	state := func(s rollout.State) proto.Message { return api.ModelStatus(rollout.Status{State: s}) }
	enums := map[string]func(string) proto.Message{
		"Color":   func(w string) proto.Message { return state(rollout.State{Live: policy.Color(w)}) },
		"Phase":   func(w string) proto.Message { return state(rollout.State{Phase: rollout.Phase(w)}) },
		"Outcome": func(w string) proto.Message { return api.Switch(&rollout.Switch{Outcome: rollout.Outcome(w)}) },
		"Result": func(w string) proto.Message {
			return api.Switch(&rollout.Switch{Verdicts: []rollout.Verdict{{Result: rollout.Result(w)}}})
		},
		"Protocol": func(w string) proto.Message {
			return api.Policy(&policy.Model{Route: policy.Route{Protocol: policy.Protocol(w)}})
		},
		"PredictProtocol": func(w string) proto.Message {
			return check(policy.Check{Golden: &policy.GoldenCheck{Protocol: policy.PredictProtocol(w)}})
		},
		"MLflowFormat": func(w string) proto.Message {
			return api.Policy(&policy.Model{Predict: policy.Predict{Format: policy.MLflowFormat(w)}})
		},
		"OnInconclusive": func(w string) proto.Message {
			return check(policy.Check{OnInconclusive: policy.OnInconclusive(w)})
		},
		"ChartKind": func(w string) proto.Message {
			return api.Assessment(rollout.Assessment{Stages: []rollout.Stage{{Verdicts: []rollout.Verdict{
				{Detail: &rollout.Detail{Charts: []rollout.Chart{{Kind: rollout.ChartKind(w)}}}},
			}}}})
		},
		"Otherwise": func(w string) proto.Message {
			return api.Policy(&policy.Model{Confirm: policy.Confirm{Otherwise: policy.Otherwise(w)}})
		},
	}
	declared := constants(t, "../policy/model.go", "../policy/checks.go", "../policy/predict.go", "../rollout/types.go", "../rollout/assessment.go")
	for _, name := range slices.Sorted(maps.Keys(enums)) {
		if len(declared[name]) == 0 {
			t.Errorf("no constants of type %s were found", name)
		}
		seen := []proto.Message{enums[name]("")}
		for _, w := range declared[name] {
			m := enums[name](w)
			if slices.ContainsFunc(seen, func(o proto.Message) bool { return proto.Equal(o, m) }) {
				t.Errorf("%s %q is shown as unspecified or as another value", name, w)
			}
			seen = append(seen, m)
		}
	}
}

// Golden checks name protocols as Predict does.
func TestGoldenProtocolsArePredictProtocols(t *testing.T) {
	golden, predict := adminv1.GoldenProtocol_name, adminv1.PredictProtocol_name
	if len(golden) != len(predict) {
		t.Errorf("there are %d golden protocols and %d", len(golden), len(predict))
	}
	for n, name := range predict {
		if got := strings.TrimPrefix(golden[n], "GOLDEN"); got != strings.TrimPrefix(name, "PREDICT") {
			t.Errorf("%d is %s and %s", n, golden[n], name)
		}
	}
}

// constants is the values of the string constants in files, by type.
func constants(t *testing.T, files ...string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || spec.Type == nil || len(spec.Values) != 1 {
				return true
			}
			kind, isName := spec.Type.(*ast.Ident)
			value, isLiteral := spec.Values[0].(*ast.BasicLit)
			if isName && isLiteral && value.Kind == token.STRING {
				w, _ := strconv.Unquote(value.Value)
				out[kind.Name] = append(out[kind.Name], w)
			}
			return true
		})
	}
	return out
}
