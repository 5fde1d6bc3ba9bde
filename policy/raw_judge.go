package policy

type rawJudge struct {
	Off         *bool           `yaml:"off" jsonschema:"default=false" jsonschema_description:"Users' traffic judges nothing."`
	ErrorRate   *belowShare     `yaml:"errorRate" jsonschema:"example=<1%" jsonschema_description:"The absolute limit of the share of failed requests."`
	P50         *belowTime      `yaml:"p50" jsonschema:"example=<50ms" jsonschema_description:"The absolute limit of the median latency."`
	P90         *belowTime      `yaml:"p90" jsonschema:"example=<100ms" jsonschema_description:"The absolute limit of the latency's 90th percentile."`
	P95         *belowTime      `yaml:"p95" jsonschema:"example=<150ms" jsonschema_description:"The absolute limit of the latency's 95th percentile."`
	P99         *belowTime      `yaml:"p99" jsonschema:"example=<300ms" jsonschema_description:"The absolute limit of the latency's 99th percentile."`
	P999        *belowTime      `yaml:"p999" jsonschema:"example=<1s" jsonschema_description:"The absolute limit of the latency's 99.9th percentile."`
	Errors      *rawErrorRule   `yaml:"errors" jsonschema_description:"The comparison of failed requests with the other color's."`
	Latency     *rawLatencyRule `yaml:"latency" jsonschema_description:"The comparison of the latency with the other color's."`
	Risk        *percent        `yaml:"risk" jsonschema:"default=1%" jsonschema_description:"Largest share of switches to an equal version that the comparisons send back, 0.01% to 20%."`
	MinRequests *int            `yaml:"minRequests" jsonschema:"default=100,minimum=1,maximum=10000000" jsonschema_description:"Requests that each color must be seen to answer before a step passes."`
	MaxHold     *duration       `yaml:"maxHold" jsonschema:"default=30m" jsonschema_description:"How long a step or the bake is held beyond its time while the data says too little."`
	Otherwise   *string         `yaml:"otherwise" jsonschema:"default=hold,enum=rollback,enum=hold,enum=promote" jsonschema_description:"What follows when it still does then."`
}

type rawErrorRule struct {
	Relative     *bool  `yaml:"relative" jsonschema:"default=true" jsonschema_description:"false: the colors' failures are not compared."`
	Tolerate     *ratio `yaml:"tolerate" jsonschema:"default=1" jsonschema_description:"Ratio to the other color's odds of failing up to which the new one is not worse, 1 to 100."`
	ClientErrors *bool  `yaml:"clientErrors" jsonschema:"default=false" jsonschema_description:"4xx, and gRPC statuses that are the client's fault, count as failures."`
}

type rawLatencyRule struct {
	Relative *bool  `yaml:"relative" jsonschema:"default=true" jsonschema_description:"false: the colors' latencies are not compared."`
	Tolerate *ratio `yaml:"tolerate" jsonschema:"default=110%" jsonschema_description:"Ratio to the other color's latency up to which the new one is not worse, 1 to 100."`
}

type rawShadow struct {
	Percent *percent  `yaml:"percent" jsonschema_description:"Share of users' requests that is mirrored to the idle color, more than 0%."`
	For     *duration `yaml:"for" jsonschema:"default=10m" jsonschema_description:"How long it is mirrored, 1s to 720h."`
}
