package policy

import (
	"math"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// finiteOnly makes every call that gives NaN or an infinity, such as a division
// by 0.0, an error. CEL goes on with them, and then a gate passes that was never
// reached: x / 0.0 is more than any number, and !(0.0 / 0.0 > 1.0) is true.
func finiteOnly() cel.ProgramOption {
	return cel.CustomDecoratorV2(func(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
		if call, ok := i.(interpreter.InterpretableCall); ok {
			return finiteCall{call}, nil
		}
		return i, nil
	})
}

type finiteCall struct{ interpreter.InterpretableCall }

func (c finiteCall) Eval(values interpreter.Activation) ref.Val {
	return onlyFinite(c.InterpretableCall.Eval(values))
}

func (c finiteCall) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	return onlyFinite(c.InterpretableCall.Exec(frame))
}

func onlyFinite(value ref.Val) ref.Val {
	if n, ok := value.(types.Double); ok && (math.IsNaN(float64(n)) || math.IsInf(float64(n), 0)) {
		return types.NewErr("a part of it is %v, as after a division by 0", float64(n))
	}
	return value
}
