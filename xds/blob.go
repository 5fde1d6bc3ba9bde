package xds

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// kind is a resource type.
type kind int

// The kinds, in the order in which a node is told of them.
const (
	cluster kind = iota
	endpoint
	listener
	route
	kinds
)

var kindNames = [kinds]string{"cluster", "endpoint", "listener", "route"}

var typeURLs = [kinds]string{
	"type.googleapis.com/envoy.config.cluster.v3.Cluster",
	"type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
	"type.googleapis.com/envoy.config.listener.v3.Listener",
	"type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
}

func (k kind) String() string { return kindNames[k] }

// whole reports whether a state-of-the-world answer of this kind must hold
// everything: what is missing is taken as removed.
func (k kind) whole() bool { return k == cluster || k == listener }

func kindOf(url string) (kind, bool) {
	i := slices.Index(typeURLs[:], url)
	return kind(i), i >= 0
}

// The field numbers of DiscoveryResponse, DeltaDiscoveryResponse, its Resource,
// and Any that are written here.
const (
	responseVersion   = 1 // in a delta response: system_version_info
	responseResources = 2
	responseType      = 4
	responseNonce     = 5
	deltaRemoved      = 6
	resourceVersion   = 1
	resourceAny       = 2
	resourceName      = 3
	anyType           = 1
	anyValue          = 2
)

// blob is one immutable version of one resource, ready for the wire.
type blob struct {
	kind    kind
	name    string
	version string // derived from the content
	value   mem.Buffer
	sotw    mem.Buffer // what stands before value in a DiscoveryResponse
	delta   mem.Buffer // what stands before value in a DeltaDiscoveryResponse

	endpoints int     // of an assignment
	issue     uint64  // of an assignment: later ones have a higher number
	owner     *model  // of a cluster, an assignment, or a gRPC client's listener
	hosts     []*host // of a route configuration, by domain
}

func newBlob(k kind, name string, value []byte) *blob {
	return sealBlob(k, name, digest(value), value)
}

func sealBlob(k kind, name, version string, value []byte) *blob {
	var tail []byte
	tail = protowire.AppendTag(tail, anyType, protowire.BytesType)
	tail = protowire.AppendString(tail, typeURLs[k])
	tail = protowire.AppendTag(tail, anyValue, protowire.BytesType)
	tail = protowire.AppendVarint(tail, uint64(len(value)))
	size := len(tail) + len(value)

	var sotw []byte
	sotw = protowire.AppendTag(sotw, responseResources, protowire.BytesType)
	sotw = protowire.AppendVarint(sotw, uint64(size))

	var res []byte
	res = appendString(res, resourceVersion, version)
	res = appendString(res, resourceName, name)
	res = protowire.AppendTag(res, resourceAny, protowire.BytesType)
	res = protowire.AppendVarint(res, uint64(size))
	var delta []byte
	delta = protowire.AppendTag(delta, responseResources, protowire.BytesType)
	delta = protowire.AppendVarint(delta, uint64(len(res)+size))
	delta = append(delta, res...)

	return &blob{
		kind: k, name: name, version: version,
		value: mem.SliceBuffer(value),
		sotw:  mem.SliceBuffer(append(sotw, tail...)),
		delta: mem.SliceBuffer(append(delta, tail...)),
	}
}

func appendString(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

// head begins an answer: everything that is neither resource nor nonce.
func head(k kind, version string) mem.Buffer {
	b := appendString(nil, responseVersion, version)
	return mem.SliceBuffer(appendString(b, responseType, typeURLs[k]))
}

func nonceField(nonce string) mem.Buffer {
	return mem.SliceBuffer(appendString(nil, responseNonce, nonce))
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// digestOf is the version of several contents taken together.
func digestOf(versions ...string) string {
	h := sha256.New()
	for _, v := range versions {
		h.Write([]byte(v))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// generation is everything of one kind that a wildcard subscriber gets.
type generation struct {
	kind    kind
	version string
	byName  map[string]*blob
	blobs   []*blob // by name
	body    func() mem.Buffer
}

func newGeneration(k kind, byName map[string]*blob) *generation {
	g := &generation{kind: k, byName: byName}
	for _, b := range byName {
		g.blobs = append(g.blobs, b)
	}
	slices.SortFunc(g.blobs, func(a, b *blob) int { return strings.Compare(a.name, b.name) })
	var versions []string
	for _, b := range g.blobs {
		versions = append(versions, b.name, b.version)
	}
	g.version = digestOf(versions...)
	// Fleets that speak delta never need the body.
	g.body = sync.OnceValue(g.marshal)
	return g
}

// marshal is the state-of-the-world answer without its nonce.
func (g *generation) marshal() mem.Buffer {
	out := slices.Clone(head(g.kind, g.version).ReadOnlyData())
	for _, b := range g.blobs {
		out = append(out, b.sotw.ReadOnlyData()...)
		out = append(out, b.value.ReadOnlyData()...)
	}
	return mem.SliceBuffer(out)
}

// changes is what a node that holds from has to be told to hold g: the new
// content by name, nil for what is gone.
func (g *generation) changes(from *generation) map[string]*blob {
	out := map[string]*blob{}
	for _, b := range g.blobs {
		if was := from.byName[b.name]; was == nil || was.version != b.version {
			out[b.name] = b
		}
	}
	for _, b := range from.blobs {
		if g.byName[b.name] == nil {
			out[b.name] = nil
		}
	}
	return out
}
