package policy

// The meta keys that are asked when a policy names none.
const (
	defaultColorMeta   = "color"
	defaultVersionMeta = "version"
)

// discovery takes one of two shapes: one service that tells its colors, or one
// service for each color.
func (b *builder) discovery(raw *rawDiscovery) Discovery {
	d := Discovery{
		VersionMeta: b.versionMeta(raw.Version),
		Warning:     truth(raw.Warning, false),
		Datacenter:  b.text("spec.discovery.datacenter", raw.Datacenter, "", RuleNameSyntax, metaFault),
	}
	shared, split := b.marks.has("spec.discovery.service"), raw.Blue != nil || raw.Green != nil
	switch {
	case shared && split:
		b.problem("spec.discovery.service", RuleContradiction, "discovery names one service and services per color; keep either service, or blue and green")
	case split:
		d.Services = b.colorServices(raw)
	case shared:
		d.Service = b.text("spec.discovery.service", raw.Service, "", RuleNameSyntax, foreignFault)
		b.color(&d, raw.Color)
	default:
		b.require("spec.discovery.service", "write {service: NAME}, or {blue: {service: NAME}, green: {service: NAME}}")
	}
	return d
}

func (b *builder) versionMeta(raw *rawVersionSource) string {
	if raw == nil {
		return defaultVersionMeta
	}
	return b.text("spec.discovery.version.meta", raw.Meta, defaultVersionMeta, RuleNameSyntax, metaFault)
}

// color says how instances of the shared service tell their color.
func (b *builder) color(d *Discovery, raw *rawColor) {
	if raw == nil {
		raw = &rawColor{}
	}
	d.ColorTags = truth(raw.Tag, false)
	switch {
	case d.ColorTags && raw.Meta != nil:
		b.problem("spec.discovery.color", RuleContradiction, "discovery.color names a meta key and tags; keep one")
	case !d.ColorTags:
		d.ColorMeta = b.text("spec.discovery.color.meta", raw.Meta, defaultColorMeta, RuleNameSyntax, metaFault)
	}
	if d.ColorMeta == d.VersionMeta {
		b.problem("spec.discovery", RuleContradiction, "discovery.color and discovery.version both read the meta key %s; a key holds a color or a version", short(d.ColorMeta))
	}
}

// colorServices wants both colors, of two different services.
func (b *builder) colorServices(raw *rawDiscovery) map[Color]string {
	if raw.Color != nil {
		b.problem("spec.discovery.color", RuleContradiction, "discovery.color is for one shared service; here blue and green have services of their own, so remove it")
	}
	services := map[Color]string{}
	for color, service := range map[Color]*rawColorService{Blue: raw.Blue, Green: raw.Green} {
		path := "spec.discovery." + string(color)
		if service == nil || !b.marks.has(path+".service") {
			b.require(path+".service", "name the service of the "+string(color)+" instances")
			continue
		}
		services[color] = b.text(path+".service", &service.Service, "", RuleNameSyntax, foreignFault)
	}
	if len(services) == 2 && services[Blue] == services[Green] {
		b.problem("spec.discovery.green.service", RuleContradiction, "discovery.green.service = %s; blue has the same service, so no color can be told; write discovery.service and color", short(services[Green]))
	}
	return services
}
