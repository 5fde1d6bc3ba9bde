package api

import (
	"greenlight/api/adminv1"
	"greenlight/policy"
)

func retire(r policy.Retire) *adminv1.Retire {
	out := &adminv1.Retire{
		Off: r.Off, After: lasting(r.After), Webhook: r.Webhook,
		ConsulMaintenance: r.Hook.Consul != nil, Nomad: nomad(r.Hook.Nomad), Repurpose: r.Repurpose,
	}
	if w := r.Hook.Webhook; w != nil {
		out.RetireWebhook = &adminv1.RetireWebhook{Url: w.URL, Secret: secretReference(w.Secret)}
	}
	return out
}

func nomad(n *policy.NomadScale) *adminv1.NomadScale {
	if n == nil {
		return nil
	}
	return &adminv1.NomadScale{
		Address: n.Address, BlueJob: n.Jobs[policy.Blue], GreenJob: n.Jobs[policy.Green], Group: n.Group,
		Count: number(n.Count), Namespace: n.Namespace, Token: secretReference(n.Token),
	}
}
