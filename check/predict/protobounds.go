package predict

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"greenlight/check/predict/oipv2"
)

// maxProto bounds what an answer in protocol buffers takes in memory when it is
// read. Two bytes of it can be a message of a hundred, so that its size in
// bytes bounds nothing.
const maxProto = 64 << 20

// What is taken in memory, at the most, by one message (an entry of a map is
// one), by one string beside its bytes, and by one number.
const (
	messageCost = 256
	stringCost  = 48
	numberCost  = 8
)

var errProtoLarge = fmt.Errorf("an answer that takes more than %d MiB of memory", maxProto>>20)

// readResponse reads an answer of ModelInfer within its bounds.
func readResponse(b []byte) (*oipv2.ModelInferResponse, error) {
	r := &oipv2.ModelInferResponse{}
	room := maxProto
	if err := holds(b, r.ProtoReflect().Descriptor(), &room); err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("no ModelInferResponse: %w", err)
	}
	return r, nil
}

// holds takes what the message in b will need off room. The protocol's messages
// don't hold themselves, so their nesting is bounded.
func holds(b []byte, of protoreflect.MessageDescriptor, room *int) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("no ModelInferResponse: %w", protowire.ParseError(n))
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
			return fmt.Errorf("no ModelInferResponse: %w", protowire.ParseError(n))
		}
		value, rest := b[:n], b[n:]
		b = rest
		*room -= cost(of.Fields().ByNumber(number), kind, value)
		if *room < 0 {
			return errProtoLarge
		}
		if field := of.Fields().ByNumber(number); field != nil && field.Message() != nil && kind == protowire.BytesType {
			inner, _ := protowire.ConsumeBytes(value)
			if err := holds(inner, field.Message(), room); err != nil {
				return err
			}
		}
	}
	return nil
}

// cost is what one field takes beside what the fields in it take.
func cost(field protoreflect.FieldDescriptor, kind protowire.Type, value []byte) int {
	switch {
	case field == nil: // kept as it is
		return len(value) + numberCost
	case field.Message() != nil:
		return messageCost
	case kind != protowire.BytesType:
		return numberCost
	case field.Kind() == protoreflect.StringKind || field.Kind() == protoreflect.BytesKind:
		return stringCost + len(value)
	default: // packed numbers
		return numberCost * packed(field.Kind(), value)
	}
}

// packed is how many numbers there are, at the most, in a packed field.
func packed(kind protoreflect.Kind, value []byte) int {
	switch kind {
	case protoreflect.FloatKind:
		return len(value) / 4
	case protoreflect.DoubleKind:
		return len(value) / 8
	default:
		return len(value) // each has a byte at least
	}
}
