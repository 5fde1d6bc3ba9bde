"""Prints, as JSON, data with what SciPy (statsmodels and NumPy where SciPy has
not the function) says of them."""

import json
import warnings

import numpy as np
from scipy import optimize, stats
from scipy.spatial.distance import jensenshannon
from scipy.stats.contingency import association
from sklearn import datasets
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

warnings.simplefilter("ignore")
rng = np.random.default_rng(7)
cases = []


def add(kind, want, numbers=(), a=(), b=()):
    cases.append({"kind": kind, "numbers": [float(v) for v in numbers], "a": np.asarray(a, float).tolist(),
                  "b": np.asarray(b, float).tolist(), "want": [float(v) for v in want]})


for b, c in (0, 0), (0, 1), (3, 0), (10, 25), (25, 10), (40, 40), (7, 8), (600, 671), (30_000, 30_600):
    both = mcnemar([[0, b], [c, 0]], exact=True).pvalue
    less = stats.binomtest(b, b + c, alternative="less").pvalue if b + c else 1
    add("mcnemar", [less, both], [b, c])


def tango(b, c, n, margin):
    """The score test, with the restricted likelihood maximized by search."""
    delta = -margin
    def less_likely(q):
        with np.errstate(divide="ignore", invalid="ignore"):
            return -(stats.multinomial.logpmf([b, c, n - b - c], n, [q + delta, q, 1 - delta - 2 * q]))
    q = optimize.minimize_scalar(less_likely, bounds=(margin + 1e-12, (1 + margin) / 2 - 1e-12), method="bounded", options={"xatol": 1e-13}).x
    return stats.norm.cdf((b - c - n * delta) / np.sqrt(n * (2 * q + delta * (1 - delta))))


for b, c, n, margin in (10, 25, 500, 0.01), (25, 10, 500, 0.01), (40, 140, 2000, 0.03), (3, 30, 200, 0.05), (300, 500, 5000, 0.002):
    add("pairedPWorse", [tango(b, c, n, margin)], [b, c, n, margin])

for b, c, n in (10, 25, 500), (300, 100, 5000), (1, 2, 30):
    for confidence in 0.5, 0.95, 0.999:
        x, y, m = b + 0.5, c + 0.5, n + 2
        half = stats.norm.ppf((1 + confidence) / 2) * np.sqrt(x + y - (x - y) ** 2 / m) / m
        add("pairedProportions", [(b - c) / n, (x - y) / m - half, (x - y) / m + half], [b, c, n, confidence])

for k, n in (0, 10), (10, 10), (81, 263), (4999, 5000):
    for confidence in 0.5, 0.95, 0.999:
        ci = stats.binomtest(k, n).proportion_ci(confidence, method="wilson")
        add("wilson", [k / n, ci.low, ci.high], [k, n, confidence])

for n in 1, 2, 7, 60:
    for scale in 0.05, 1:
        p = np.round(rng.uniform(0, scale, n), 3)
        add("holm", multipletests(p, method="holm")[1], a=p)


def ks(a, b):
    r = stats.ks_2samp(a, b)
    add("ks", [r.statistic, r.pvalue], a=a, b=b)


for load in datasets.load_iris, datasets.load_wine, datasets.load_breast_cancer:
    x, y = load(return_X_y=True)
    for column in range(4):
        ks(x[y == 0, column], x[y == 1, column])
        ks(x[::2, column], x[1::2, column])
digits, numeral = datasets.load_digits(return_X_y=True)
ks(digits[numeral < 5, 20], digits[numeral >= 5, 20])
x, y = datasets.load_diabetes(return_X_y=True)
ks(x[:200, 2], x[200:, 2])
for n, m, shift in (1, 1, 0), (1, 5, 0), (3, 4, 2), (40, 60, 0.1), (40, 60, 5), (1000, 1000, 0.05), (997, 1500, 0.05), (10_000, 10_000, 0.01), \
        (10_001, 10_001, 0.01), (10_001, 7, 0.3), (12_000, 60, 0.2), (12_000, 300, 0.05), (30_000, 20_000, 0.01), (15_000, 15_000, 0.5):
    ks(np.round(rng.normal(0, 1, n), 4), np.round(rng.normal(shift, 1, m), 4))

for n in 1, 2, 5, 20, 140, 141, 500, 5000, 100_000, 100_001, 2_000_000:
    for z in 0.03, 0.2, 0.4, 0.5, 0.6, 0.8, 1, 1.3, 1.6, 2.2, 3, 5, 20:
        d = z / np.sqrt(n)
        if d <= 1:
            add("kolmogorov", [stats.kstwo.sf(d, n)], [n, d])

for a, b in ([10, 20, 30], [12, 18, 33]), ([5, 0, 9, 1], [7, 0, 3, 8]), ([100], [50]), ([1000, 1, 0], [900, 0, 70]), \
        (np.bincount(numeral[:900]), np.bincount(numeral[900:])), (rng.integers(0, 500, 40), rng.integers(0, 500, 40)):
    a, b = np.array(a), np.array(b)
    table = np.array([a, b])[:, a + b > 0]
    r = stats.chi2_contingency(table, correction=False)
    v = association(table, method="cramer") if table.shape[1] > 1 else 0
    add("chiSquare", [r.statistic, r.pvalue, v, r.dof], a=a, b=b)
    add("jensenShannon", [jensenshannon(a, b, base=2)], a=a, b=b)
    p, q = np.maximum(table[0], 0.5), np.maximum(table[1], 0.5)
    p, q = p / p.sum(), q / q.sum()
    add("psi", [stats.entropy(p, q) + stats.entropy(q, p)], a=a, b=b)

for n in 1, 2, 11, 100, 1000:
    values = np.sort(rng.exponential(1, n))
    for q in 0, 0.01, 0.5, 0.95, 0.99, 1:
        add("quantile", [np.quantile(values, q)], [q], a=values)
        if 0 < q < 1:
            for confidence in 0.6, 0.95, 0.99:  # at 0.5 the bounds of two values are a matter of rounding
                ci = stats.quantile_test(values, p=q).confidence_interval(confidence)
                ok = not (np.isnan(ci.low) or np.isnan(ci.high))
                low, high = (values[0] if np.isnan(ci.low) else ci.low), (values[-1] if np.isnan(ci.high) else ci.high)
                add("quantileInterval", [np.quantile(values, q), low, high, ok], [q, confidence], a=values)
print(json.dumps(cases))
