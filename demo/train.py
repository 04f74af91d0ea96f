#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Logistic regression on credit.csv in plain Python: who will not pay back?

It knows nothing of mlp but one thing: where the descriptor MLP_FD is open, each epoch
writes a line of JSON there.
"""
import argparse
import csv
import json
import math
import os
import random


def read_rows(path):
    """Rows of numbers and words by column, and 1 for each loan that went bad."""
    with open(path, newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    return rows, [1.0 if r.pop("Status") == "bad" else 0.0 for r in rows]


class Encoder:
    """Columns to features: numbers scaled, words as one feature each, gaps marked."""

    def __init__(self, rows):
        self.numbers, self.words = {}, {}
        for name in rows[0]:
            values = [r[name] for r in rows if r[name] != ""]
            if all(v.lstrip("-").isdigit() for v in values):
                logs = sorted(math.log1p(max(0.0, float(v))) for v in values)
                mean = sum(logs) / len(logs)
                spread = math.sqrt(sum((x - mean) ** 2 for x in logs) / len(logs))
                self.numbers[name] = (mean, spread or 1.0)
            else:
                self.words[name] = sorted(set(values))

    def encode(self, row):
        features = [1.0]
        for name, (mean, spread) in self.numbers.items():
            known = row[name] != ""
            value = math.log1p(max(0.0, float(row[name]))) if known else mean
            features += [(value - mean) / spread, 0.0 if known else 1.0]
        for name, words in self.words.items():
            features += [1.0 if row[name] == word else 0.0 for word in words]
        return features


def predict(weights, x):
    z = sum(w * v for w, v in zip(weights, x))
    return 1.0 / (1.0 + math.exp(-z)) if z > -700 else 0.0


def log_loss(scores, labels):
    total = 0.0
    for p, y in zip(scores, labels):
        p = min(max(p, 1e-15), 1.0 - 1e-15)
        total -= math.log(p if y else 1.0 - p)
    return total / len(labels)


def auc(scores, labels):
    """Area under the ROC curve: the share of pairs in the right order, ties half."""
    ranked = sorted(zip(scores, labels))
    bad = sum(labels)
    below = pairs = i = 0
    while i < len(ranked):
        j = i
        while j < len(ranked) and ranked[j][0] == ranked[i][0]:
            j += 1
        positives = sum(y for _, y in ranked[i:j])
        negatives = j - i - positives
        pairs += positives * (below + negatives / 2)
        below += negatives
        i = j
    return pairs / (bad * (len(labels) - bad))


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="credit.csv")
    parser.add_argument("--model", default="model.json")
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--l2", type=float, default=0.0001)
    parser.add_argument("--epochs", type=int, default=20)
    return parser.parse_args()


def fit(args, report):
    """Trains and writes the model; calls report(epoch, metrics) after each epoch."""
    chance = random.Random(int(os.environ.get("MLP_SEED", "0")))
    rows, labels = read_rows(args.data)
    order = list(range(len(rows)))
    chance.shuffle(order)
    train, valid = order[: len(order) * 4 // 5], order[len(order) * 4 // 5 :]
    encoder = Encoder([rows[i] for i in train])
    data = [encoder.encode(r) for r in rows]
    weights = [0.0] * len(data[0])
    print(f"{len(train)} loans to learn from, {len(valid)} to check with, {len(weights)} features")

    for epoch in range(1, args.epochs + 1):
        chance.shuffle(train)
        rate = args.lr / math.sqrt(epoch)
        for i in train:
            x = data[i]
            step = rate * (predict(weights, x) - labels[i])
            weights = [w - step * v - rate * args.l2 * w for w, v in zip(weights, x)]
        metrics = {}
        for name, part in ("train", train), ("valid", valid):
            scores = [predict(weights, data[i]) for i in part]
            truth = [labels[i] for i in part]
            metrics[name + "/loss"] = log_loss(scores, truth)
            metrics[name + "/auc"] = auc(scores, truth)
        print(f"epoch {epoch:2}  loss {metrics['valid/loss']:.4f}  auc {metrics['valid/auc']:.4f}")
        report(epoch, metrics)

    with open(args.model, "w", encoding="utf-8") as f:
        json.dump({"numbers": encoder.numbers, "words": encoder.words, "weights": weights}, f)
        f.write("\n")


def main():
    out = os.fdopen(int(os.environ["MLP_FD"]), "w") if "MLP_FD" in os.environ else None

    def report(epoch, metrics):
        if out:
            print(json.dumps({"step": epoch, **metrics}), file=out, flush=True)

    fit(arguments(), report)


if __name__ == "__main__":
    main()
