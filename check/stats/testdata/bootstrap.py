"""Reads rows of (truth, first, second) with the differences that a statistic
had on resamples of them, and prints scipy.stats.bootstrap's intervals of that
statistic from those very resamples."""

import json
import sys
from types import SimpleNamespace

import numpy as np
from scipy import stats

statistics = {
    "accuracy": lambda t, p: np.mean(t == p),
    "rmse": lambda t, p: np.sqrt(np.mean((t - p) ** 2)),
    "r2": lambda t, p: 1 - np.sum((t - p) ** 2) / np.sum((t - t.mean()) ** 2),
}
out = []
for case in json.load(sys.stdin):
    truth, first, second = (np.array(case[key], float) for key in ("truth", "first", "second"))
    of = statistics[case["statistic"]]

    def difference(rows):
        return of(truth[rows], first[rows]) - of(truth[rows], second[rows])

    intervals = []
    for confidence in case["confidences"]:
        ci = stats.bootstrap(
            (np.arange(len(truth)),), difference, vectorized=False, n_resamples=0, method=case["method"], confidence_level=confidence,
            bootstrap_result=SimpleNamespace(bootstrap_distribution=np.array(case["resamples"])),
        ).confidence_interval
        intervals.append([ci.low, ci.high])
    out.append(intervals)
print(json.dumps(out))
