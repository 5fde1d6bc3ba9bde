"""Trains models on data sets that scikit-learn ships and prints, as JSON, their
predictions with the metrics that scikit-learn measures on them: plain, with a
weight per row, and on a resample of the rows (as counts)."""

import json
import warnings

import numpy as np
from sklearn import datasets, metrics as m
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

warnings.simplefilter("ignore")
cases = []


def add(name, rows, measure, **fields):
    """measure(rows, weights) gives the metrics of the rows with these indexes."""
    rng = np.random.default_rng(len(cases))
    every = np.arange(rows)
    weights = rng.uniform(0.1, 3, rows)
    while True:  # a resample on which every metric is defined
        counts = np.bincount(rng.integers(rows, size=rows), minlength=rows)
        resampled = measure(np.repeat(every, counts), None)
        if all(np.isfinite(v) for v in resampled.values()):
            break
    cases.append({
        "name": name, "weights": weights.tolist(), "counts": counts.tolist(),
        "plain": measure(every, None), "weighted": measure(every, weights), "resampled": resampled,
        **fields,
    })


def labels(name, truth, predicted, classes):
    def measure(rows, w):
        t, p, out = truth[rows], predicted[rows], {"accuracy": m.accuracy_score(truth[rows], predicted[rows], sample_weight=w)}
        for key, f in ("precision", m.precision_score), ("recall", m.recall_score), ("f1", m.f1_score):
            for average in "macro", "weighted":
                out[f"{key}.{average}"] = f(t, p, average=average, sample_weight=w, zero_division=0)
            for c in range(classes):
                if c in t or c in p:
                    out[f"{key}.{c}"] = f(t, p, average=None, labels=[c], sample_weight=w, zero_division=0)[0]
        return out

    add(name + " labels", len(truth), measure, kind="labels", classes=classes, truth=truth.tolist(), predicted=predicted.tolist())


def scores(name, truth, score):
    def measure(rows, w):
        t, s = truth[rows], score[rows]
        return {
            "rocAuc": m.roc_auc_score(t, s, sample_weight=w), "prAuc": m.average_precision_score(t, s, sample_weight=w),
            "logLoss": m.log_loss(t, s, sample_weight=w, labels=[0, 1]), "brier": m.brier_score_loss(t, s, sample_weight=w, pos_label=1),
        }

    add(name + " scores", len(truth), measure, kind="scores", truth=truth.tolist(), score=score.tolist())


def class_scores(name, truth, score):
    classes = list(range(score.shape[1]))

    def measure(rows, w):
        t, s = truth[rows], score[rows]
        if len(np.unique(t)) < len(classes):
            return {"rocAuc": np.nan}
        out = {
            "rocAuc": m.roc_auc_score(t, s, sample_weight=w, multi_class="ovr", labels=classes),
            "prAuc": m.average_precision_score(t, s, sample_weight=w),
            "logLoss": m.log_loss(t, s, sample_weight=w, labels=classes),
            "brier": m.brier_score_loss(t, s, sample_weight=w, labels=classes),
        }
        for k in range(1, len(classes)):
            out[f"topK.{k}"] = m.top_k_accuracy_score(t, s, k=k, sample_weight=w, labels=classes)
        return out

    add(name + " class scores", len(truth), measure, kind="classScores", classes=len(classes), truth=truth.tolist(), score=score.ravel().tolist())


def two_class_scores(name, truth, score):
    def measure(rows, w):
        t, s = truth[rows], score[rows]
        return {
            "logLoss": m.log_loss(t, s, sample_weight=w, labels=[0, 1]), "brier": m.brier_score_loss(t, s, sample_weight=w, labels=[0, 1]),
            "topK.1": m.top_k_accuracy_score(t, s[:, 1], k=1, sample_weight=w),
        }

    add(name + " two columns", len(truth), measure, kind="classScores", classes=2, truth=truth.tolist(), score=score.ravel().tolist())


def numbers(name, truth, predicted):
    def measure(rows, w):
        t, p = truth[rows], predicted[rows]
        return {
            "rmse": m.root_mean_squared_error(t, p, sample_weight=w), "mae": m.mean_absolute_error(t, p, sample_weight=w),
            "r2": m.r2_score(t, p, sample_weight=w),
        }

    add(name + " numbers", len(truth), measure, kind="numbers", truth=truth.tolist(), predicted=predicted.tolist())


def rankings(name, relevance, score):
    for row, (r, s) in enumerate(zip(relevance, score)):
        order = np.argsort(-s, kind="stable")
        cases.append({
            "name": f"{name} ranking {row}", "kind": "ranking", "all": r.tolist(), "ranked": r[order].tolist(),
            "plain": {str(k): m.ndcg_score([r], [s], k=k) for k in (1, 2, 5, len(r), len(r) + 3)},
        })


classifiers = {
    "logistic regression": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
    "naive Bayes": GaussianNB,  # scores of 0 and 1
    "forest": lambda: RandomForestClassifier(15, random_state=1),  # ties
    "neighbors": lambda: KNeighborsClassifier(7),  # many ties
    "stump": lambda: DecisionTreeClassifier(max_depth=1, random_state=1),  # classes that it never predicts
}
for set_name, load in ("iris", datasets.load_iris), ("wine", datasets.load_wine), ("digits", datasets.load_digits), ("breast cancer", datasets.load_breast_cancer):
    x, y = load(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.5, random_state=3, stratify=y)
    for model_name, make in classifiers.items():
        name = f"{set_name}, {model_name}:"
        model = make().fit(x_train, y_train)
        p = model.predict_proba(x_test)
        labels(name, y_test, model.predict(x_test), p.shape[1])
        if p.shape[1] == 2:
            scores(name, y_test, p[:, 1])
            two_class_scores(name, y_test, p)
        else:
            class_scores(name, y_test, p)
            scores(name + " last against the rest", (y_test == p.shape[1] - 1).astype(int), p[:, -1])
            if model_name != "stump":
                rankings(name, np.eye(p.shape[1], dtype=int)[y_test[:3]] * 3 + np.arange(p.shape[1]) % 3, p[:3] + 1e-6 * np.arange(p.shape[1]))
x, y = datasets.load_diabetes(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.5, random_state=3)
for model_name, model in ("linear", LinearRegression()), ("neighbors", KNeighborsRegressor()), ("tree", DecisionTreeRegressor(random_state=1)):
    numbers(f"diabetes, {model_name}:", y_test, model.fit(x_train, y_train).predict(x_test))
print(json.dumps(cases))
