package api

import (
	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
)

// The maps below miss nothing that rollout and policy declare; a test says so.
// What they don't know becomes the enum's UNSPECIFIED.

var colors = map[policy.Color]adminv1.Color{
	policy.Blue:  adminv1.Color_COLOR_BLUE,
	policy.Green: adminv1.Color_COLOR_GREEN,
}

var phases = map[rollout.Phase]adminv1.Phase{
	rollout.Idle:        adminv1.Phase_PHASE_IDLE,
	rollout.Preparing:   adminv1.Phase_PHASE_PREPARING,
	rollout.Validating:  adminv1.Phase_PHASE_VALIDATING,
	rollout.Shadowing:   adminv1.Phase_PHASE_SHADOWING,
	rollout.Confirming:  adminv1.Phase_PHASE_CONFIRMING,
	rollout.Holding:     adminv1.Phase_PHASE_HOLDING,
	rollout.Baking:      adminv1.Phase_PHASE_BAKING,
	rollout.Paused:      adminv1.Phase_PHASE_PAUSED,
	rollout.Held:        adminv1.Phase_PHASE_HELD,
	rollout.RollingBack: adminv1.Phase_PHASE_ROLLING_BACK,
	rollout.Retiring:    adminv1.Phase_PHASE_RETIRING,
	rollout.Drilling:    adminv1.Phase_PHASE_DRILLING,
	rollout.Waiting:     adminv1.Phase_PHASE_WAITING,
	rollout.Approving:   adminv1.Phase_PHASE_APPROVING,
}

var outcomes = map[rollout.Outcome]adminv1.Outcome{
	rollout.Succeeded:  adminv1.Outcome_OUTCOME_SUCCEEDED,
	rollout.Refused:    adminv1.Outcome_OUTCOME_REFUSED,
	rollout.RolledBack: adminv1.Outcome_OUTCOME_ROLLED_BACK,
	rollout.Aborted:    adminv1.Outcome_OUTCOME_ABORTED,
}

var results = map[rollout.Result]adminv1.Result{
	rollout.Pass:         adminv1.Result_RESULT_PASS,
	rollout.Fail:         adminv1.Result_RESULT_FAIL,
	rollout.Inconclusive: adminv1.Result_RESULT_INCONCLUSIVE,
}

var protocols = map[policy.Protocol]adminv1.Protocol{
	policy.HTTP1: adminv1.Protocol_PROTOCOL_HTTP1,
	policy.HTTP2: adminv1.Protocol_PROTOCOL_HTTP2,
	policy.GRPC:  adminv1.Protocol_PROTOCOL_GRPC,
}

var acts = map[policy.Act]adminv1.Act{
	policy.BeforeShift:  adminv1.Act_ACT_SHIFT,
	policy.BeforeRetire: adminv1.Act_ACT_RETIRE,
}

var shapes = map[policy.Shape]adminv1.Shape{
	policy.ShapeInstant:     adminv1.Shape_SHAPE_INSTANT,
	policy.ShapeSteps:       adminv1.Shape_SHAPE_STEPS,
	policy.ShapeLinear:      adminv1.Shape_SHAPE_LINEAR,
	policy.ShapeCanary:      adminv1.Shape_SHAPE_CANARY,
	policy.ShapeExponential: adminv1.Shape_SHAPE_EXPONENTIAL,
	policy.ShapeRolling:     adminv1.Shape_SHAPE_ROLLING,
}

var thinOtherwises = map[policy.ThinOtherwise]adminv1.ThinOtherwise{
	policy.ThinRollback: adminv1.ThinOtherwise_THIN_OTHERWISE_ROLLBACK,
	policy.ThinHold:     adminv1.ThinOtherwise_THIN_OTHERWISE_HOLD,
	policy.ThinPromote:  adminv1.ThinOtherwise_THIN_OTHERWISE_PROMOTE,
}

var predictProtocols = map[policy.PredictProtocol]adminv1.PredictProtocol{
	policy.OpenInference:     adminv1.PredictProtocol_PREDICT_PROTOCOL_OPEN_INFERENCE,
	policy.OpenInferenceGRPC: adminv1.PredictProtocol_PREDICT_PROTOCOL_OPEN_INFERENCE_GRPC,
	policy.TensorFlowServing: adminv1.PredictProtocol_PREDICT_PROTOCOL_TENSORFLOW_SERVING,
	policy.MLflow:            adminv1.PredictProtocol_PREDICT_PROTOCOL_MLFLOW,
	policy.PlainJSON:         adminv1.PredictProtocol_PREDICT_PROTOCOL_JSON,
}

var mlflowFormats = map[policy.MLflowFormat]adminv1.MlflowFormat{
	policy.MLflowSplit:   adminv1.MlflowFormat_MLFLOW_FORMAT_SPLIT,
	policy.MLflowRecords: adminv1.MlflowFormat_MLFLOW_FORMAT_RECORDS,
	policy.MLflowInputs:  adminv1.MlflowFormat_MLFLOW_FORMAT_INPUTS,
}

var onInconclusives = map[policy.OnInconclusive]adminv1.OnInconclusive{
	policy.InconclusiveFails:  adminv1.OnInconclusive_ON_INCONCLUSIVE_FAIL,
	policy.InconclusivePasses: adminv1.OnInconclusive_ON_INCONCLUSIVE_PASS,
	policy.InconclusiveHolds:  adminv1.OnInconclusive_ON_INCONCLUSIVE_HOLD,
}

var chartKinds = map[rollout.ChartKind]adminv1.ChartKind{
	rollout.ChartLine:   adminv1.ChartKind_CHART_KIND_LINE,
	rollout.ChartPoints: adminv1.ChartKind_CHART_KIND_POINTS,
	rollout.ChartBars:   adminv1.ChartKind_CHART_KIND_BARS,
}

var otherwises = map[policy.Otherwise]adminv1.Otherwise{
	policy.OtherwiseRollback: adminv1.Otherwise_OTHERWISE_ROLLBACK,
	policy.OtherwiseHold:     adminv1.Otherwise_OTHERWISE_HOLD,
}

// colorOf is empty for COLOR_UNSPECIFIED.
func colorOf(c adminv1.Color) policy.Color {
	switch c {
	case adminv1.Color_COLOR_BLUE:
		return policy.Blue
	case adminv1.Color_COLOR_GREEN:
		return policy.Green
	default:
		return ""
	}
}
