"""A multilayer perceptron: weights, a forward pass, and backpropagation as a loop of delta rules.

The code has the book's letters and the book's indices. Layers are numbered 1..L, and every list
(`W`, `b`, `Z`, `A`, `Delta`) has L + 1 entries: `A[0]` is the data, the other entries 0 are None.
So `net.W[2]` is printed W with the superscript [2].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import init as inits
from . import losses, ops
from .dense import (
    affine,
    bias_gradient,
    hidden_delta,
    input_gradient,
    output_delta,
    weight_gradient,
)
from .layers import dropout_mask, standardize, standardize_delta
from .optim import carve

Array = np.ndarray
SMALL = 1 << 14  # numbers
NORMALIZED = "layer_norm "


class Forward(NamedTuple):
    """What a forward pass leaves for the backward pass: lists of arrays (B, n_l), l = 0..L."""

    Z: list[Array]
    A: list[Array]


class Gradients(NamedTuple):
    """What `backprop` returns: the loss and, per layer l = 1..L, dJ/dW, dJ/db and Delta = dJ/dZ."""

    J: Any
    W: list[Array]
    b: list[Array | None]
    Delta: list[Array]

    def flat(self) -> list[Array]:
        """Return the gradients in the order of `MLP.parameters()`."""
        return _interleave(self.W, self.b)


class MLP:
    """A stack of dense layers `A[l] = phi_l(A[l-1] @ W[l] + b[l])` with widths n_0, ..., n_L.

    widths:      n_0 inputs, hidden widths, n_L outputs; at least two positive integers.
    activation:  name or primitive for every hidden layer, or a list of one per hidden layer;
                 "layer_norm tanh" normalizes every row before the tanh, and so for other names.
    output:      name or primitive for layer L ("identity", "softmax", "sigmoid", "tanh", ...).
    init:        name or function of `bplib.init`, or a list of one per layer; by default He for
                 a layer that ends in a ReLU, Glorot for the others. Biases start at 0.
    gain:        factor on the standard deviation of the initial weights.
    bias:        False leaves out every `b`; then `b[l]` is None.
    seed:        integer (or None for fresh entropy); layer l draws from the stream (seed, l), so
                 changing one layer leaves the others' start alone.
    dtype:       float32 or float64, for weights and everything computed from them.

    Raises ValueError for widths, names or a dtype it cannot use.
    """

    def __init__(
        self,
        widths: Sequence[int],
        activation: Any = "tanh",
        output: Any = "identity",
        *,
        init: Any = None,
        gain: float = 1.0,
        bias: bool = True,
        seed: int | None = 0,
        dtype: Any = np.float64,
    ) -> None:
        self.widths = _checked_widths(widths)
        self.dtype = np.dtype(dtype)
        if self.dtype.kind != "f":
            raise ValueError(f"MLP: dtype must be floating, got {self.dtype}; use float32 or 64.")
        L = self.L = len(self.widths) - 1
        hidden = _one_per("activation", activation, L - 1, "hidden layer")
        self.phi = [None, *(get_activation(a) for a in hidden), get_activation(output)]
        methods = [None, *_one_per("init", init, L, "layer")]

        self.W: list[Any] = [None]
        self.b: list[Any] = [None]
        for layer in range(1, L + 1):
            n_in, n_out = self.widths[layer - 1 : layer + 1]
            method = _get_init(methods[layer], self.phi[layer].name)
            rng = np.random.default_rng(None if seed is None else [seed, layer])
            self.W.append(method(n_in, n_out, rng, gain=gain, dtype=self.dtype))
            self.b.append(np.zeros(n_out, self.dtype) if bias else None)
        self._join_small()

    def _join_small(self) -> None:
        # A small network keeps its parameters in one vector: there calls cost more than
        # arithmetic, and a planned step updates them all with the calls for one.
        old = self.parameters()
        if sum(p.size for p in old) > SMALL:
            return
        new = iter(carve(np.concatenate([p.ravel() for p in old]), [p.shape for p in old]))
        for layer in range(1, self.L + 1):
            self.W[layer] = next(new)
            if self.b[layer] is not None:
                self.b[layer] = next(new)

    def forward(self, X: Array, *, logits: bool = False, masks: Any = None) -> Forward:
        """Return `Z[l]` and `A[l]` for every layer; `A[0]` is X in the network's dtype.

        X (B, n_0). With `logits=True` the output activation is left out and `A[L]` is `Z[L]`,
        which is what a fused loss wants. `masks` (`dropout_masks`) multiply the hidden `A[l]`.
        Raises ValueError when X is no batch of n_0 columns, TypeError when it is not real.
        """
        Z: list[Any] = [None]
        A: list[Any] = [self.as_batch(X)]
        for layer in range(1, self.L + 1):
            Z.append(affine(A[layer - 1], self.W[layer], self.b[layer]))
            last = layer == self.L
            A.append(Z[layer] if last and logits else self.phi[layer].forward(Z[layer]))
            if masks is not None and not last:
                A[layer] = A[layer] * masks[layer]
        return Forward(Z, A)

    def dropout_masks(self, B: int, rate: float, rng: np.random.Generator) -> list[Any]:
        """Return a mask (B, n_l) for every hidden layer l = 1..L-1, None for the data.

        Raises ValueError unless 0 <= rate < 1.
        """
        return [None, *(dropout_mask((B, n), rate, rng, self.dtype) for n in self.widths[1:-1])]

    def as_batch(self, X: Any) -> Array:
        """Return X as rows (B, n_0) in the network's dtype, X itself where it is that already.

        Raises ValueError for another shape, TypeError for numbers that are not real (complex
        input is let through, for the complex-step check).
        """
        if type(X) not in ops.base.FOREIGN:
            X = np.asarray(X)
        if X.ndim != 2 or X.shape[1] != self.widths[0]:
            raise ValueError(
                f"MLP: X must be a batch of rows (B, {self.widths[0]}), got shape {X.shape}; "
                "give one sample as X[None, :]."
            )
        if X.dtype == self.dtype or X.dtype.kind == "c":
            return X
        if X.dtype.kind not in "biuf":
            raise TypeError(f"MLP: X must be real numbers, got dtype {X.dtype}.")
        return X.astype(self.dtype)

    def predict(self, X: Array) -> Array:
        """Return the output `A[L]` (B, n_L) for a batch X (B, n_0): probabilities for a softmax."""
        A = self.as_batch(X)
        for layer in range(1, self.L + 1):  # nothing is kept for a backward pass
            A = self.phi[layer].forward(affine(A, self.W[layer], self.b[layer]))
        return A

    def loss(
        self,
        X: Array,
        T: Any,
        loss: Any,
        *,
        weight_decay: float = 0.0,
        check: bool = True,
        masks: Any = None,
    ) -> Any:
        """Return J alone, the same number as `backprop(X, T, loss).J`.

        Shapes and errors as for `backprop`.
        """
        loss = losses.get(loss)
        fused = self._fused(loss)
        Y = self.forward(X, logits=fused, masks=masks).A[self.L]
        J, _ = loss(Y, T, check=check)
        return J + self.penalty(weight_decay) if weight_decay else J

    def penalty(self, weight_decay: float) -> Any:
        """Return weight_decay / 2 * sum of W**2 over the layers; biases are not decayed."""
        return sum(self.dtype.type(0.5 * weight_decay) * (W * W).sum() for W in self.W[1:])

    def backprop(
        self,
        X: Array,
        T: Any,
        loss: Any,
        *,
        weight_decay: float = 0.0,
        check: bool = True,
        masks: Any = None,
    ) -> Gradients:
        """Return J and its gradients by the delta rules of chapter 5, from layer L down to 1.

        X (B, n_0); T as the loss wants it; `loss` a name or function of `bplib.losses`.
        `weight_decay` adds weight_decay / 2 * sum(W**2) to J and weight_decay * W to dJ/dW.
        `check=False` skips the checks of T, for loops that have made them once.
        `masks` (`dropout_masks`) multiply the hidden activations on the way up and their cotangents
        on the way down.
        Every array returned is new. Raises ValueError for shapes, labels or a loss that does not
        fit the output activation.
        """
        loss = losses.get(loss)
        fused = self._fused(loss)
        Z, A = self.forward(X, logits=fused, masks=masks)
        J, Delta = loss(A[self.L], T, check=check)
        if not fused:  # the loss gave dJ/dA[L]
            Delta = output_delta(Delta, self.phi[self.L], A[self.L], Z[self.L])

        empty: list[Any] = [None] * (self.L + 1)
        dW, db, deltas = empty, empty.copy(), empty.copy()
        for layer in range(self.L, 0, -1):
            deltas[layer] = Delta
            dW[layer] = weight_gradient(A[layer - 1], Delta)
            if self.b[layer] is not None:
                db[layer] = bias_gradient(Delta)
            if layer > 1:  # the data needs no gradient
                below = layer - 1
                phi, W = self.phi[below], self.W[layer]
                if masks is None:
                    Delta = hidden_delta(Delta, W, phi, A[below], Z[below])
                else:  # A[below] is masked, phi's rule wants it as it was
                    G = input_gradient(Delta, W) * masks[below]
                    Delta = phi.rule(G, phi.forward(Z[below]), Z[below])
        if weight_decay:
            J = J + self.penalty(weight_decay)
            for layer in range(1, self.L + 1):
                dW[layer] += weight_decay * self.W[layer]
        _tie(self.W, dW)
        _tie(self.b, db)
        return Gradients(J, dW, db, deltas)

    def parameters(self) -> list[Array]:
        """Return the arrays themselves, `[W[1], b[1], ..., W[L], b[L]]`, for an optimizer."""
        return _interleave(self.W, self.b)

    def copy_parameters(self) -> list[Array]:
        """Return copies of `parameters()`, to be given back to `load_parameters`."""
        return [p.copy() for p in self.parameters()]

    def load_parameters(self, values: Sequence[Array]) -> None:
        """Write `values` into the parameters, in place, so that references to them stay valid.

        Raises ValueError when number or shapes differ; then nothing has been written.
        """
        params = self.parameters()
        expected = [p.shape for p in params]
        given = [np.shape(v) for v in values]
        if expected != given:
            raise ValueError(f"MLP.load_parameters: expected shapes {expected}, got {given}.")
        for p, v in zip(params, values, strict=True):
            p[...] = v

    def __repr__(self) -> str:
        chain = "-".join(map(str, self.widths))
        names = ", ".join(phi.name for phi in self.phi[1:])
        count = sum(p.size for p in self.parameters())
        return f"MLP({chain}; {names}; {self.dtype}; {count} parameters)"

    def _fused(self, loss: Callable) -> bool:
        fuses = losses.fused_activation(loss)
        output = self.phi[self.L].name
        if fuses is not None and output not in (fuses, "identity"):
            raise ValueError(
                f"MLP: {getattr(loss, '__name__', loss)} contains the {fuses} and takes logits; "
                f"this network ends in {output}. Use output={fuses!r} or output='identity'."
            )
        return fuses is not None


class Activation(NamedTuple):
    """A primitive that is no elementwise one, with its vector-Jacobian product as `rule(t, y, x)`.

    The softmax is one: its rule is a product with the whole Jacobian diag(p) - p p^T of every row.
    """

    name: str
    forward: Callable[[Any], Any]
    rule: Callable[[Any, Any, Any], Any]
    op: Callable[[Any], Any]

    def __call__(self, x: Any) -> Any:
        """Apply to an array or a Node."""
        return self.op(x)


def get_activation(activation: Any) -> Any:
    """Return the primitive called `activation`, or pass one through.

    Elementwise primitives of `bplib.ops` carry their `rule`; the softmax is wrapped to have one.
    Raises ValueError for a name that is no such primitive.
    """
    found = activation
    if isinstance(activation, str) and activation.startswith(NORMALIZED):
        return _normalized(get_activation(activation.removeprefix(NORMALIZED)))
    if isinstance(activation, str):
        found = ops.PRIMITIVES.get(activation)
        if found is None:
            raise ValueError(
                f"MLP: no activation is called {activation!r}; "
                "take identity, softmax or an elementwise primitive of bplib.ops, such as tanh."
            )
    if hasattr(found, "rule") and hasattr(found, "forward"):
        return found
    if getattr(found, "kind", None) == "symmetric":
        return Activation(found.name, found.forward, found.vjps[0], found)
    raise ValueError(
        f"MLP: an activation is one function of one array with `forward` and `rule`, "
        f"got {activation!r}."
    )


def _normalized(phi: Any) -> Activation:
    """Return the activation that brings every row to mean 0 and variance 1 before phi.

    It has no gain and no shift of its own. Its Jacobian is full, row by row: the rule passes the
    cotangent through phi, and then through the normalization.
    """

    def forward(Z: Any) -> Any:
        return phi.forward(standardize(Z)[0])

    def rule(t: Any, y: Any, Z: Any) -> Any:
        N, s = standardize(Z)
        return standardize_delta(phi.rule(t, y, N), N, s)

    return Activation(NORMALIZED + phi.name, forward, rule, lambda Z: phi(standardize(Z)[0]))


def _get_init(method: Any, activation: str) -> Callable[..., Array]:
    if method is None:
        return inits.he if "relu" in activation else inits.glorot
    if callable(method):
        return method
    if method not in inits.TABLE:
        known = ", ".join(inits.TABLE)
        raise ValueError(f"MLP: no initialisation is called {method!r}; there are {known}.")
    return inits.TABLE[method]


def _one_per(what: str, value: Any, count: int, unit: str) -> list[Any]:
    # A NamedTuple is a tuple too, so only a list means "one each".
    if not isinstance(value, list):
        return [value] * count
    if len(value) != count:
        raise ValueError(
            f"MLP: a list for {what} needs one entry per {unit}: {count}, got {len(value)}."
        )
    return value


def _checked_widths(widths: Sequence[int]) -> tuple[int, ...]:
    widths = tuple(widths)
    good = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in widths)
    if len(widths) < 2 or not good or min(widths) < 1:
        raise ValueError(
            f"MLP: widths must be two or more positive integers (n_0, ..., n_L), got {widths}."
        )
    return tuple(int(n) for n in widths)


def _interleave(W: list[Any], b: list[Any]) -> list[Array]:
    # By identity: a parameter that two layers share is listed, and updated, once.
    found = {id(p): p for pair in zip(W[1:], b[1:], strict=True) for p in pair if p is not None}
    return list(found.values())


def _tie(parameters: list[Any], gradients: list[Any]) -> None:
    """Give layers that share a parameter the sum of their gradients, one array for all."""
    first: dict[int, int] = {}
    for layer in range(1, len(parameters)):
        p = parameters[layer]
        if p is None:
            continue
        original = first.setdefault(id(p), layer)
        if original != layer:
            gradients[original] += gradients[layer]
            gradients[layer] = gradients[original]
