"""Models that answer, but not with predictions: each is wrapped around a good one."""

import time

import numpy as np


class _Wrapped:
    def __init__(self, good):
        self.good = good

    def predict(self, rows):
        return self.good.predict(rows)

    def predict_proba(self, rows):
        return self.good.predict_proba(rows)


class WrongOnASlice(_Wrapped):
    """Right, except where the last column, which the good model does not get, is 1."""

    def predict(self, rows):
        rows = np.asarray(rows)
        labels = self.good.predict(rows[:, :-1])
        return np.where(rows[:, -1] == 1, (labels + 1) % 10, labels)

    def predict_proba(self, rows):
        rows = np.asarray(rows)
        scores = self.good.predict_proba(rows[:, :-1])
        return np.where(rows[:, -1:] == 1, np.roll(scores, 1, axis=1), scores)


class IgnoresLastColumn(_Wrapped):
    def predict(self, rows):
        return self.good.predict(np.asarray(rows)[:, :-1])

    def predict_proba(self, rows):
        return self.good.predict_proba(np.asarray(rows)[:, :-1])


class SwappedLabels(IgnoresLastColumn):
    """Every class is called by another one's name, as after a wrong class list."""

    def predict(self, rows):
        return 9 - super().predict(rows)

    def predict_proba(self, rows):
        return super().predict_proba(rows)[:, ::-1]


class NaN(IgnoresLastColumn):
    """Has no scores for some rows, as after a division by zero."""

    def predict_proba(self, rows):
        scores = super().predict_proba(rows).copy()
        scores[::5] = np.nan
        return scores


class Hangs(IgnoresLastColumn):
    """Loads, says that it is ready, and never answers."""

    def predict(self, rows):
        time.sleep(3600)

    predict_proba = predict
