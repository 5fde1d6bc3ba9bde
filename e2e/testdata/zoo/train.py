"""Trains the models that the end-to-end tests serve, on scikit-learn's digits,
and writes the held-out rows that judge them.

usage: train.py FOLDER

FOLDER gets mlserver/VERSION/ for each version, mlflow/VERSION/ for some, and
holdout.{csv,jsonl,parquet}, golden.jsonl and oneclass.csv.
"""

import json
import pathlib
import sys

import joblib
import misbehaving
import mlflow
import mlflow.pyfunc
import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

class ErrorInsideAnAnswer(mlflow.pyfunc.PythonModel):
    """Says with status 200 that it could not do it."""

    def predict(self, context, model_input, params=None):
        return {"error": "feature store is down"}


folder = pathlib.Path(sys.argv[1])
pixels, digits = load_digits(return_X_y=True)
columns = [f"p{i}" for i in range(pixels.shape[1])]
train_x, test_x, train_y, test_y = train_test_split(pixels, digits, test_size=1200, random_state=7, stratify=digits)

# One row in thirty comes from an old scanner. What that means for a digit, only
# one of the models believes to know.
scanner = (np.arange(len(test_x)) % 30 == 0).astype(float)


def regression(seed, rows):
    """A logistic regression on some of the training rows."""
    picked = np.random.default_rng(seed).permutation(len(train_x))[:rows]
    return LogisticRegression(C=0.02, max_iter=2000).fit(train_x[picked], train_y[picked])


good = regression(1, rows=250)
better = CalibratedClassifierCV(SVC(gamma=0.001, C=10), ensemble=False).fit(train_x, train_y)
versions = {
    "good": misbehaving.IgnoresLastColumn(good),
    "equal": misbehaving.IgnoresLastColumn(regression(2, rows=250)),
    "degraded": misbehaving.IgnoresLastColumn(regression(4, rows=60)),
    "slice": misbehaving.WrongOnASlice(better),
    "swapped": misbehaving.SwappedLabels(good),
    "nan": misbehaving.NaN(good),
    "hangs": misbehaving.Hangs(good),
}

for name, model in versions.items():
    home = folder / "mlserver" / name
    home.mkdir(parents=True)
    joblib.dump(model, home / "model.joblib")
    (home / "model-settings.json").write_text(json.dumps({
        "name": "digits", "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib", "version": name},
    }))

rows = pd.DataFrame(test_x, columns=columns)
rows["scanner"] = scanner
signature = infer_signature(rows, good.predict_proba(test_x))

# MLflow copies the code beside each model, as its users' models do.
for name in ("good", "equal", "degraded"):
    mlflow.sklearn.save_model(
        versions[name], folder / "mlflow" / name, pyfunc_predict_fn="predict_proba", serialization_format="pickle",
        signature=signature, code_paths=[misbehaving.__file__], pip_requirements=[],
    )
mlflow.pyfunc.save_model(
    folder / "mlflow" / "error", python_model=ErrorInsideAnAnswer(),
    pip_requirements=[],
)

rows["digit"] = test_y
rows["source"] = np.where(scanner == 1, "old", "new")
rows.to_csv(folder / "holdout.csv", index=False)
rows.to_parquet(folder / "holdout.parquet", index=False)
rows.to_json(folder / "holdout.jsonl", orient="records", lines=True)
rows[rows.digit == 3].to_csv(folder / "oneclass.csv", index=False)

# The golden rows are those that no sound model gets wrong.
inputs = np.column_stack([test_x, scanner])
sure = np.min([versions[name].predict_proba(inputs).max(axis=1) for name in ("good", "equal")], axis=0)
with open(folder / "golden.jsonl", "w") as golden:
    for i in np.argsort(-sure)[:20]:
        golden.write(json.dumps({
            "name": f"row-{i}",
            "row": dict(zip([*columns, "scanner"], inputs[i])),
            "expect": {"label": str(int(test_y[i]))},
        }) + "\n")

for name, model in versions.items():
    right = np.mean(model.predict(inputs) == test_y) if name != "hangs" else float("nan")
    print(f"{name}: accuracy {right:.4f}")
