package rollout

import (
	"fmt"
	"math"
	"strings"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
)

// Advice compares the shapes that a switch of one model could have.
type Advice struct {
	Best    policy.Shape
	Why     string // in plain words, with the figures
	Basis   Basis
	Options []Option // instant, canary, rolling
}

// Basis is what advice goes by; what is not known is 0, and named in Unknown.
type Basis struct {
	Instances int           // of the live color
	Rate      float64       // users' requests a second, now
	Busiest   float64       // the highest of the last week
	Carried   float64       // the most that one instance was seen to answer a second
	WarmUp    time.Duration // how long instances took to get ready
	Cost      policy.Cost
	Unknown   []string
}

// Option is what one shape would take for one switch.
type Option struct {
	Shape    policy.Shape
	Possible bool // if not, Note says why
	// ExtraHours are instance-hours beside the live ones, and ExtraCost is their price.
	ExtraHours float64
	ExtraCost  float64
	Takes      time.Duration // from the start until the old color is let go
	// Exposed is how many of users' requests a broken version answers.
	Exposed float64
	WayBack time.Duration // until all users are on the old version again; 0 if it is not known
	Note    string
}

const (
	// reaction is the time from the first bad answer until all users are back, when
	// most answers are bad: a second of reports, and one for the judgement and the way
	// back. Measured on real Envoys at 500 requests a second: 1.0 s at most.
	reaction = 2 * time.Second
	// oneWay is what a publish takes until every node has confirmed it.
	oneWay = 100 * time.Millisecond
)

// Advise compares an instant, a canary and a rolling switch for a model by what is
// known of it. The error is a *RefusedError: nothing is known.
func Advise(st Status) (Advice, error) {
	b := basis(st)
	if b.Instances == 0 {
		return Advice{}, &RefusedError{Code: NotReady, Message: "no instance of a live color is known: there is nothing to compare yet"}
	}
	instant, canary, rolling := instantly(b, st.Policy), byCanary(b, st.Policy), byRolling(b, st.Policy)
	a := Advice{Basis: b, Options: []Option{instant, canary, rolling}}
	a.Best, a.Why = best(b, st.Policy, canary, rolling)
	return a, nil
}

func basis(st Status) Basis {
	s := st.State
	live := s.Live
	b := Basis{Rate: st.Traffic.total(), Busiest: s.Busiest.Rate, WarmUp: s.WarmUp.Took, Cost: st.Policy.Cost}
	if live != "" {
		b.Instances = len(st.Endpoints.Of(live)) + st.Endpoints.Unready[live]
		b.Carried = s.Carried.Of(live).Rate
	}
	b.Busiest = max(b.Busiest, b.Rate)
	for _, u := range []struct {
		missing bool
		what    string
	}{
		{b.Busiest == 0, "users' rate (no fleet has reported it)"},
		{b.Carried == 0, "what one instance can answer"},
		{b.WarmUp == 0, "the warm-up (no color was seen to get ready from nothing)"},
		{b.Cost.InstanceHour == 0, "the price (cost.instanceHour)"},
		{b.Cost.Spare == nil, "the room for more instances (cost.spare)"},
	} {
		if u.missing {
			b.Unknown = append(b.Unknown, u.what)
		}
	}
	return b
}

// twice fills in what it takes to run a second set of instances for so long.
func (o *Option) twice(b Basis, p *policy.Model, shifting time.Duration) {
	o.Takes = b.WarmUp + shifting + p.Bake.For
	if !p.Retire.Off && !p.Retire.Repurpose {
		o.Takes += p.Retire.After
	}
	o.ExtraHours = float64(b.Instances) * o.Takes.Hours()
	o.ExtraCost = o.ExtraHours * b.Cost.InstanceHour
	o.WayBack = oneWay
	o.Possible = b.Cost.Spare == nil || *b.Cost.Spare >= b.Instances
	if !o.Possible {
		o.Note = fmt.Sprintf("there is room for %s more and it takes %d", count(*b.Cost.Spare, "instance"), b.Instances)
	}
}

func instantly(b Basis, p *policy.Model) Option {
	o := Option{Shape: policy.ShapeInstant, Exposed: b.Busiest * reaction.Seconds()}
	o.twice(b, p, 0)
	return o
}

// firstStep is the first weight of the policy's own steps, or a canary's defaults,
// and how long all steps are held together.
func firstStep(p *policy.Model) (weight policy.Weight, hold, all time.Duration) {
	first := p.Shift[0]
	if first.Weight == policy.Full {
		return policy.Full / 20, 10 * time.Minute, 10 * time.Minute
	}
	for _, s := range p.Shift {
		all += s.Hold
	}
	return first.Weight, first.Hold, all
}

func byCanary(b Basis, p *policy.Model) Option {
	weight, hold, all := firstStep(p)
	share := float64(weight) / float64(policy.Full)
	o := Option{Shape: policy.ShapeCanary, Exposed: b.Busiest * share * reaction.Seconds()}
	o.twice(b, p, all)
	if takes := seen(b, weight, least(p)); o.Possible && takes > hold {
		o.Note = fmt.Sprintf("at %s and %s requests a second it takes %s until %d requests have judged it, longer than its hold of %s",
			percent(weight), figure(b.Rate), calendar.PlainDuration(takes), least(p), calendar.PlainDuration(hold))
	}
	return o
}

// least is how many requests judge a step.
func least(p *policy.Model) int { return max(1, p.Judge.MinRequests) }

// seen is how long it takes until so many requests were seen at a weight; 0 if the
// rate is not known.
func seen(b Basis, w policy.Weight, requests int) time.Duration {
	perSecond := b.Rate * float64(w) / float64(policy.Full)
	if perSecond == 0 {
		return 0
	}
	return time.Duration(math.Ceil(float64(requests)/perSecond)) * time.Second
}

func byRolling(b Basis, p *policy.Model) Option {
	batch, hold := max(1, b.Instances/4), time.Minute
	if p.Rolling != nil {
		batch, hold = p.Rolling.Batch.Of(b.Instances), p.Rolling.Hold
	}
	batches := (b.Instances + batch - 1) / batch
	o := Option{
		Shape: policy.ShapeRolling, Possible: true,
		Takes:   time.Duration(batches)*(b.WarmUp+hold+p.Route.Timeout) + p.Bake.For,
		Exposed: b.Busiest * reaction.Seconds() * float64(batch) / float64(b.Instances),
	}
	starts := ""
	if b.WarmUp > 0 {
		o.WayBack = b.WarmUp + oneWay
	} else {
		starts = ", and the warm-up of each"
	}
	left := b.Instances - batch
	switch {
	case left < 1:
		o.Possible, o.Note = false, "it takes two instances at least: one that serves while the other makes room"
	case b.Carried > 0 && float64(left)*b.Carried*headroom < b.Busiest:
		o.Possible = false
		o.Note = fmt.Sprintf("%s would have to answer %s requests a second at busy times; one was seen to answer %s at most",
			count(left, "instance"), figure(b.Busiest), figure(b.Carried))
	default:
		o.Note = fmt.Sprintf("%d batches of %s%s; the way back needs a new start of the old ones", batches, count(batch, "instance"), starts)
	}
	return o
}

// best chooses, and says why. Running twice has the better way back, so rolling is
// advised only where running twice can't be had or is said to cost too much.
func best(b Basis, p *policy.Model, canary, rolling Option) (policy.Shape, string) {
	saves := "rolling would take no instance more"
	if b.Cost.InstanceHour > 0 {
		saves = fmt.Sprintf("rolling would save %s a switch", b.Cost.Price(canary.ExtraHours))
	}
	slow := "its way back needs a new start of the old instances"
	if b.WarmUp > 0 {
		slow += fmt.Sprintf(", %s by the last warm-up, instead of milliseconds", calendar.PlainDuration(b.WarmUp.Round(time.Second)))
	}
	beside := upper(saves) + ", but " + slow
	if !rolling.Possible {
		saves = "rolling can't be done: " + rolling.Note
		beside = upper(saves)
	}
	switch {
	case !canary.Possible && rolling.Possible:
		return policy.ShapeRolling, fmt.Sprintf("rolling: %s. %s; a batch at a time fits. Mind that %s.",
			upper("running the model twice does not fit"), upper(canary.Note), slow)
	case !canary.Possible:
		return policy.ShapeInstant, fmt.Sprintf("none fits now: %s, and rolling can't be done either: %s. Make room first, or let more and smaller instances carry the model.", canary.Note, rolling.Note)
	case b.Cost.AtMost > 0 && canary.ExtraCost > b.Cost.AtMost && rolling.Possible:
		return policy.ShapeRolling, fmt.Sprintf("rolling: running %s twice for %s takes %s, and cost.atMost is %s; rolling takes no instance more. Mind that %s. A shorter retire.after (now %s) would make a switch cheaper, too.",
			count(b.Instances, "instance"), calendar.PlainDuration(canary.Takes.Round(time.Minute)), b.Cost.Price(canary.ExtraHours), b.Cost.Amount(b.Cost.AtMost), slow, calendar.PlainDuration(p.Retire.After))
	case b.Rate > 0 && strings.Contains(canary.Note, "longer than"):
		return slowCanary(b, p, canary, saves)
	case b.Rate == 0:
		return policy.ShapeCanary, fmt.Sprintf("canary: a broken version meets a small share of users only, and going back takes one publish. Whether its step sees enough requests is not known, for no fleet reports them. %s.", beside)
	default:
		return policy.ShapeCanary, fmt.Sprintf("canary: a broken version would answer some %s of users' requests before they are back, an instant one %s; going back takes one publish. %s.",
			figure(math.Ceil(canary.Exposed)), figure(math.Ceil(b.Busiest*reaction.Seconds())), beside)
	}
}

// slowCanary weighs a canary whose step sees too few requests.
func slowCanary(b Basis, p *policy.Model, canary Option, saves string) (policy.Shape, string) {
	_, hold, _ := firstStep(p)
	enough := float64(least(p)) / (b.Rate * hold.Seconds())
	if enough <= 0.5 {
		weight := policy.Weight(math.Ceil(enough*100)) * (policy.Full / 100)
		return policy.ShapeCanary, fmt.Sprintf("canary, but with a larger step or a longer hold: %s. At %s the hold would do. %s.", canary.Note, percent(weight), upper(saves))
	}
	return policy.ShapeInstant, fmt.Sprintf("instant: with %s requests a second no small step sees enough of them within %s to judge it, so a canary only takes longer; let checks judge the version before users meet it, and the bake after it. %s.",
		figure(b.Rate), calendar.PlainDuration(hold), upper(saves))
}

// upper begins a sentence.
func upper(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
