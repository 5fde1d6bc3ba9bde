#!/usr/bin/env python3
"""Train the example model "tumor" and write what the Go package embeds.

The data is the Wisconsin diagnostic breast cancer set that scikit-learn ships
(569 tumors; here the ten mean measurements of each). The model is a logistic
regression over standardised features. It is small enough to be computed by
hand in Go and real enough that a worse version is worse on real patients.

    python3 -m venv .venv && .venv/bin/pip install scikit-learn
    .venv/bin/python train.py

Everything is seeded: the same scikit-learn writes the same files.
"""

import json
import pathlib

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = pathlib.Path(__file__).resolve().parent
FEATURES = 10  # the "mean ..." columns come first
GOLDEN_CASES = 32
GOOD, EQUAL, BAD = "2026-10-01", "2026-11-01", "2026-11-08-bad"
# The policies of the examples compare probabilities within this.
TOLERANCE = 0.05


def pipeline(c):
    return make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=5000, tol=1e-10))


def train(x, y):
    """Fit the three versions; the bad one learned from a table whose label column was shuffled."""
    rng = np.random.default_rng(20261108)
    return {
        GOOD: (pipeline(1.0).fit(x, y), "C=1.0"),
        EQUAL: (pipeline(0.8).fit(x, y), "C=0.8"),
        BAD: (pipeline(1.0).fit(x, rng.permutation(y)), "C=1.0, labels shuffled by a broken join"),
    }


def describe(version, model, note, names, rows, accuracy):
    scaler, regression = model[0], model[-1]
    return {
        "name": "tumor",
        "version": version,
        "trainedOn": f"scikit-learn {sklearn.__version__} load_breast_cancer, {rows} rows, {note}",
        "testAccuracy": accuracy,
        "classes": ["benign", "malignant"],
        "features": names,
        "mean": scaler.mean_.tolist(),
        "scale": scaler.scale_.tolist(),
        "coef": regression.coef_[0].tolist(),
        "intercept": float(regression.intercept_[0]),
    }


def write(path, value):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def case(index, row, model):
    probability = float(model.predict_proba([row])[0, 1])
    return {
        "name": f"row-{index}",
        "request": {
            "inputs": [{"name": "features", "shape": [1, FEATURES], "datatype": "FP64", "data": row.tolist()}]
        },
        "expect": {
            "outputs": [
                {"name": "probability", "shape": [1], "datatype": "FP64", "data": [probability]},
                {"name": "label", "shape": [1], "datatype": "INT64", "data": [int(model.predict([row])[0])]},
            ]
        },
    }


def main():
    bunch = load_breast_cancer()
    x = bunch.data[:, :FEATURES]
    y = 1 - bunch.target  # scikit-learn says 0 for malignant; here 1 does
    names = [str(n) for n in bunch.feature_names[:FEATURES]]
    rows = np.arange(len(x))
    train_rows, test_rows = train_test_split(rows, test_size=0.3, random_state=7, stratify=y)

    models = train(x[train_rows], y[train_rows])
    for version, (model, note) in models.items():
        accuracy = float(model.score(x[test_rows], y[test_rows]))
        print(f"{version}: accuracy {accuracy:.4f} on {len(test_rows)} held-out rows ({note})")
        write(HERE / "versions" / f"{version}.json",
              describe(version, model, note, names, len(train_rows), accuracy))

    golden = test_rows[:GOLDEN_CASES]
    with open(HERE / "tumor.golden.jsonl", "w") as out:
        for row in golden:
            out.write(json.dumps(case(int(row), x[row], models[GOOD][0])) + "\n")

    # What scikit-learn itself says, so that the Go arithmetic can be held against it.
    write(HERE / "testdata" / "predictions.json", {
        version: model.predict_proba(x[golden])[:, 1].tolist() for version, (model, _) in models.items()
    })

    good = models[GOOD][0]
    for version, (model, _) in models.items():
        difference = np.abs(good.predict_proba(x[golden])[:, 1] - model.predict_proba(x[golden])[:, 1])
        labels = int((good.predict(x[golden]) != model.predict(x[golden])).sum())
        print(f"{version}: {int((difference > TOLERANCE).sum())} of {len(golden)} golden probabilities "
              f"are off by more than {TOLERANCE}, {labels} labels differ, largest difference {difference.max():.4f}")


if __name__ == "__main__":
    main()
