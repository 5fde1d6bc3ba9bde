"""Serves one of the trained models by KServe, which speaks Open Inference with
tensors as raw bytes behind the JSON, and TensorFlow Serving's REST API.

usage: kserve_server.py PORT MODEL_FILE
"""

import sys

import joblib
import kserve.protocol.rest.server as rest
import numpy as np
from kserve import InferOutput, InferResponse, Model, ModelServer

# KServe listens on every interface; a test listens on this machine's own.
every_interface = rest.uvicorn.Config
rest.uvicorn.Config = lambda *args, **named: every_interface(*args, **{**named, "host": "127.0.0.1"})


class Digits(Model):
    def __init__(self, path):
        super().__init__("digits")
        self.model = joblib.load(path)
        self.ready = True

    def predict(self, payload, headers=None, response_headers=None):
        if isinstance(payload, dict):
            return {"predictions": np.asarray(self.model.predict_proba(payload["instances"])).tolist()}
        rows = payload.inputs[0].as_numpy()
        outputs = []
        for name, datatype, values in (
            ("predict", "INT64", np.asarray(self.model.predict(rows)).reshape(-1, 1)),
            ("predict_proba", "FP64", np.asarray(self.model.predict_proba(rows))),
        ):
            output = InferOutput(name=name, shape=list(values.shape), datatype=datatype)
            output.set_data_from_numpy(values, binary_data=payload.use_binary_outputs)
            outputs.append(output)
        return InferResponse(
            response_id=payload.id or "none", model_name=self.name, infer_outputs=outputs,
            use_binary_outputs=payload.use_binary_outputs, requested_outputs=payload.request_outputs,
        )


if __name__ == "__main__":
    ModelServer(http_port=int(sys.argv[1]), workers=1, enable_grpc=False).start([Digits(sys.argv[2])])
