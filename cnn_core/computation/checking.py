"""The same arithmetic as the player in the browser does, in numpy: from the steps alone, every cell of the output."""

from math import erf

import numpy as np

from cnn_core.computation.base import Steps
from cnn_core.computation.windows import shifted, slid

FUNCTIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "gelu": lambda x: x * (1 + np.vectorize(erf)(x / np.sqrt(2))) / 2,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}


def outputs(steps: Steps) -> np.ndarray:
    """What the layer gives for every cell, (rows, columns), computed from the numbers in `steps` alone."""
    maps = [np.asarray(shown["values"]) for shown in steps["inputs"]]
    match steps["kind"]:
        case "convolution":
            rest = np.asarray(steps["rest"] or 0.0)
            kernels = [np.asarray(kernel) for kernel in steps["kernel"]]
            return steps["bias"] + rest + sum(slid(values, kernel, steps) for values, kernel in zip(maps, kernels, strict=True))
        case "max":
            return np.max(shifted(maps[0], steps, -np.inf), axis=0)
        case "min":
            return np.min(shifted(maps[0], steps, np.inf), axis=0)
        case "average":
            return np.nanmean(shifted(maps[0], steps, np.nan), axis=0)
        case "global_max":
            return np.array([[values.max() for values in maps]])
        case "global_average":
            return np.array([[values.mean() for values in maps]])
        case "dense":
            return maps[0] @ np.asarray(steps["kernel"]).T + steps["rest"] + steps["bias"]
        case "softmax":
            powers = np.exp(maps[0] - maps[0].max(axis=-1, keepdims=True))
            return powers / powers.sum(axis=-1, keepdims=True)
        case "activation":
            return FUNCTIONS[steps["function"]](maps[0])
        case "normalise":
            gamma, beta, mean, variance = (np.asarray(steps[name]) for name in ("gamma", "beta", "mean", "variance"))
            return gamma * (maps[0] - mean) / np.sqrt(variance + steps["epsilon"]) + beta
        case "add":
            return np.sum(maps, axis=0)
        case "multiply":
            return np.prod(maps, axis=0)
        case "zeros":
            return np.pad(maps[0], [(zeros, zeros) for zeros in steps["before"]])
        case "flatten":
            return maps[0].reshape(1, -1)
        case _:  # same
            return maps[0]


def activated(steps: Steps) -> np.ndarray | None:
    """What the activation that follows makes of `outputs`; None where none follows."""
    return FUNCTIONS[steps["activation"]["function"]](outputs(steps)) if steps["activation"] else None
