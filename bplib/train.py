"""Training: mini-batches, early stopping, and stopping well when the loss explodes.

`train` is a generator of progress records, so printing, plotting or a progress bar are consumers,
none of them built in (`bplib.progress.watch` draws the bar). `fit` is the consumer that keeps the
records and nothing else.
"""

from __future__ import annotations

import copy
import math
import operator
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from . import losses, plan
from ._interrupts import Interrupts
from .nn import MLP, Gradients
from .optim import Optimizer, clip_by_norm, flat_of, global_norm

Array = np.ndarray


class Progress(NamedTuple):
    """One epoch: J is the mean over its mini-batches, measured while the weights moved.

    `held_out` is the loss and `accuracy` the share of right labels on the validation data (None
    without), `lr` and `norm` are the learning rate and the Euclidean norm of the whole gradient
    (before clipping) at the epoch's last step, `steps` counts all steps of the optimizer.
    """

    epoch: int
    steps: int
    J: float
    norm: float
    lr: float
    held_out: float | None
    accuracy: float | None


class History(NamedTuple):
    """All records of `fit` and why it ended: "epochs", "early" or "interrupted"."""

    records: list[Progress]
    reason: str


class Diverged(FloatingPointError):
    """The loss or a gradient became NaN, infinite or huge; the last good weights are back in place.

    Attributes: epoch and batch (from 1), layer (the first bad one, 1..L, or None), J.
    """

    def __init__(self, message: str, epoch: int, batch: int, layer: int | None, J: float) -> None:
        super().__init__(message)
        self.epoch, self.batch, self.layer, self.J = epoch, batch, layer, J


def train(
    net: MLP,
    X: Array,
    T: Any,
    *,
    loss: str | Callable,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int = 32,
    seed: int = 0,
    validation: tuple[Array, Any] | None = None,
    patience: int | None = None,
    weight_decay: float = 0.0,
    clip: float | None = None,
    dropout: float = 0.0,
    explosion: float = 1e4,
    first: int = 1,
    planned: bool = False,
) -> Iterator[Progress]:
    """Train `net` in place and yield one `Progress` per epoch.

    X (B, n_0) and T as the loss wants it. Every epoch visits the rows once in an order drawn from
    `seed`, in mini-batches of `batch_size` (the last may be smaller).
    With `validation=(X, T)` and `patience=n`, stops when the held-out loss has not fallen for n
    epochs, and puts the best weights back. `clip` limits the norm of every gradient. `dropout` is
    the share of hidden activations set to 0 in every step, drawn from `seed`; nothing is dropped
    where the network is measured or used.
    Ctrl-C takes effect after the step under way, so that weights and optimizer agree.
    `first` is the number of the first epoch: with weights and optimizer loaded from the end of
    epoch n (`bplib.store`), `first=n + 1` continues to the same bits as if nothing had happened.
    `planned=True` traces the step once and replays it: the same bits in less time (`PlannedStep`);
    with `clip`, which looks at values, and with `dropout`, which draws them, it has no effect.

    Raises ValueError for unusable arguments, before the first step, and `Diverged` when J or a
    gradient is no longer finite or J exceeds `explosion` times (1 + the first J); the weights and
    the optimizer are then those at the end of the last good epoch.
    """
    loss = losses.get(loss)
    X, T = _checked_data("X", net, X, T, loss)
    if validation is not None:
        validation = _checked_data("validation X", net, *validation, loss)
    _whole("epochs", epochs, 0)
    _whole("batch_size", batch_size, 1)
    _whole("first", first, 1)
    if patience is not None:
        _whole("patience", patience, 1)
        if validation is None:
            raise ValueError("train: patience needs validation=(X, T) to watch.")
    if not 0 <= dropout < 1:
        raise ValueError(f"train: dropout must lie in [0, 1), got {dropout!r}.")
    run = _Run(net, X, T, loss, optimizer, batch_size, seed, weight_decay, clip, dropout, explosion)
    planned = planned and clip is None and not dropout
    step = PlannedStep(net, loss, optimizer, weight_decay) if planned else None
    return _epochs(run, range(first, epochs + 1), validation, patience, step)


def fit(net: MLP, X: Array, T: Any, **options: Any) -> History:
    """Run `train` to its end and return all records; Ctrl-C ends it early with what there is.

    Options and errors as for `train`.
    """
    records: list[Progress] = []
    epochs = options.get("epochs")
    try:
        for record in train(net, X, T, **options):
            records.append(record)
    except KeyboardInterrupt:
        return History(records, "interrupted")
    whole = (epochs or 0) - options.get("first", 1) + 1
    return History(records, "epochs" if len(records) == whole else "early")


def accuracy(net: MLP, X: Array, labels: Any) -> float:
    """Return the share of rows whose largest output (or output side, if n_L = 1) is the label.

    X (B, n_0); labels (B,) integers or one-hot rows (B, n_L).
    Raises ValueError for an empty batch or labels of another length.
    """
    Y = net.predict(X)
    labels = np.asarray(labels)
    if labels.ndim == 2:
        labels = labels.argmax(axis=1) if labels.shape[1] > 1 else labels[:, 0]
    if labels.shape != Y.shape[:1] or Y.shape[0] == 0:
        raise ValueError(f"accuracy: {Y.shape[0]} rows need as many labels, got {labels.shape}.")
    if Y.shape[1] > 1:
        guess = Y.argmax(axis=1)
    else:  # a probability is on the side of 1 above 1/2, a logit above 0
        guess = Y[:, 0] > (0.5 if net.phi[net.L].name == "sigmoid" else 0.0)
    return float((guess == labels).mean())


def first_bad_layer(net: MLP, X: Array, gradients: Gradients | None = None) -> int | None:
    """Return the layer 1..L where a number first stops being finite, or None if none does.

    Follows the computation: weights and values from layer 1 up, then gradients from layer L down.
    """
    Z, A = net.forward(X)
    for layer in range(1, net.L + 1):
        b = net.b[layer]
        for array in (net.W[layer], Z[layer], A[layer], *(() if b is None else (b,))):
            if not np.isfinite(array).all():
                return layer
    if gradients is not None:
        for layer in range(net.L, 0, -1):
            for array in (gradients.Delta[layer], gradients.W[layer]):
                if not np.isfinite(array).all():
                    return layer
    return None


class PlannedStep:
    """One training step, gradient and update, as a plan: `step(X, T)` returns J.

    The same bits as `net.backprop` followed by `optimizer.step`, in a fraction of the calls. The
    weights and the optimizer's arrays are read and written where they are. A batch of another
    shape gets a plan of its own. X and T are in the network's dtype and checked already
    (`losses.targets`).
    """

    def __init__(
        self, net: MLP, loss: str | Callable, optimizer: Optimizer, weight_decay: float = 0.0
    ) -> None:
        self.net, self.loss, self.optimizer = net, losses.get(loss), optimizer
        self.weight_decay = weight_decay
        self.plans: dict[Any, plan.Plan] = {}
        self.held: list[Any] = []
        self.latest: plan.Plan | None = None

    def __call__(self, X: Array, T: Array) -> Any:
        """Take one step and return J at the old weights."""
        optimizer = self.optimizer
        held = [optimizer.slots, *self.net.W, *self.net.b]
        if len(held) != len(self.held) or not all(map(operator.is_, held, self.held)):
            self.plans.clear()  # an array was replaced: plans hold on to the old one
            self.held = held
        key = (X.shape, T.shape)
        found = self.plans.get(key)
        if found is None:
            optimizer.prepare(self.net.parameters())
            found = self.plans[key] = plan.plan_of(lambda trace: self._trace(trace, X, T))
            self.held[0] = optimizer.slots
        self.latest = found
        rate = optimizer.learning_rate()
        optimizer.t += 1
        return found.run(X, T, rate, float(optimizer.t))[0]

    def _trace(self, trace: Any, X: Array, T: Array) -> list[Any]:
        net, optimizer = copy.copy(self.net), copy.copy(self.optimizer)
        parameters = self.net.parameters()
        whole = [flat_of(arrays) for arrays in (parameters, *optimizer.slots.values())]
        if optimizer.flat and all(w is not None for w in whole):
            return self._trace_flat(trace, X, T, whole)
        # One symbol per array, also where two layers share one.
        bound = {id(p): trace.bind(p) for p in net.parameters()}
        net.W = [None, *(bound[id(W)] for W in net.W[1:])]
        net.b = [None, *(None if b is None else bound[id(b)] for b in net.b[1:])]
        optimizer.slots = {
            name: [trace.bind(a) for a in arrays] for name, arrays in optimizer.slots.items()
        }
        X, T = trace.input(X), trace.input(T)
        rate, optimizer.t = trace.input(0.1), trace.input(1.0)
        gradients = net.backprop(X, T, self.loss, weight_decay=self.weight_decay, check=False)
        columns = [optimizer.slots[name] for name in optimizer.state]
        for p, g, *kept in zip(net.parameters(), gradients.flat(), *columns, strict=True):
            optimizer.update(p, g, rate, *kept)
        return [gradients.J]

    def _trace_flat(self, trace: Any, X: Array, T: Array, whole: list[Any]) -> list[Any]:
        """The same with all parameters in one vector: one update instead of one for each."""
        net, optimizer = copy.copy(self.net), copy.copy(self.optimizer)
        p, *kept = [trace.bind(w) for w in whole]
        X, T = trace.input(X), trace.input(T)
        rate, optimizer.t = trace.input(0.1), trace.input(1.0)
        views: dict[int, Any] = {}
        start = 0
        for a in self.net.parameters():
            views[id(a)] = p[start : start + a.size].reshape(a.shape)
            start += a.size
        net.W = [None, *(views[id(W)] for W in net.W[1:])]
        net.b = [None, *(None if b is None else views[id(b)] for b in net.b[1:])]
        gradients = net.backprop(X, T, self.loss, weight_decay=self.weight_decay, check=False)
        del net, views  # nobody sees the vector through them when it is written to
        optimizer.update(p, trace.pack(gradients.flat()), rate, *kept)
        return [gradients.J]

    def explain(self) -> str:
        """Return the steps, buffers and bytes of the plan used last, as text."""
        return "" if self.latest is None else self.latest.explain()


class _Run(NamedTuple):
    net: MLP
    X: Array
    T: Array
    loss: Callable
    optimizer: Optimizer
    batch_size: int
    seed: int
    weight_decay: float
    clip: float | None
    dropout: float
    explosion: float


def _epochs(
    run: _Run,
    epochs: range,
    validation: tuple[Array, Array] | None,
    patience: int | None,
    step: PlannedStep | None,
) -> Iterator[Progress]:
    net, optimizer = run.net, run.optimizer
    limit = math.inf
    good = net.copy_parameters(), optimizer.copy_state()
    best, best_weights, waited = math.inf, None, 0
    for epoch in epochs:
        with Interrupts() as interrupts:
            try:
                try:
                    record, limit = _epoch(run, epoch, limit, validation, interrupts, step)
                except _Suspect:
                    # The plan has updated the weights already. Without it the same bits come
                    # again, and the place where they go wrong is found before the update.
                    _restore(net, optimizer, good)
                    record, limit = _epoch(run, epoch, limit, validation, interrupts, None)
            except Diverged:
                _restore(net, optimizer, good)
                raise
            good = net.copy_parameters(), optimizer.copy_state()
        if record.held_out is not None and record.held_out < best:
            best, best_weights, waited = record.held_out, good[0], 0
        else:
            waited += 1
        yield record
        if patience is not None and waited >= patience:
            break
    if patience is not None and best_weights is not None:
        net.load_parameters(best_weights)


class _Suspect(Exception):
    """A planned step gave a loss that may have diverged."""


def _restore(net: MLP, optimizer: Optimizer, good: tuple[Any, Any]) -> None:
    net.load_parameters(good[0])
    t, slots = good[1]
    optimizer.t = t
    if not slots or not optimizer.slots:
        optimizer.load_state(good[1])
        return
    for name, arrays in slots.items():  # in place: a plan holds on to the arrays
        for mine, a in zip(optimizer.slots[name], arrays, strict=True):
            mine[...] = a


def _epoch(
    run: _Run,
    epoch: int,
    limit: float,
    validation: tuple[Array, Array] | None,
    interrupts: Interrupts,
    planned: PlannedStep | None,
) -> tuple[Progress, float]:
    net, optimizer, B = run.net, run.optimizer, run.X.shape[0]
    params = net.parameters()
    # The order of an epoch depends on (seed, epoch) alone, not on how training got there.
    order = np.random.default_rng([run.seed, epoch]).permutation(B)
    X, T = run.X[order], run.T[order]  # one copy an epoch; a batch is then a view
    total = 0.0
    # An overflow is reported once, as Diverged, and not as warnings on the way.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for batch, start in enumerate(range(0, B, run.batch_size), 1):
            stop = min(start + run.batch_size, B)
            Xb = X[start:stop]
            if planned is not None and stop < B:  # the last step's gradient is reported
                rate = optimizer.learning_rate()
                J = float(planned(Xb, T[start:stop]))
                if math.isinf(limit) and math.isfinite(J):
                    limit = run.explosion * (1 + abs(J))
                if not abs(J) <= limit or math.isinf(J):
                    raise _Suspect
                total += J * (stop - start)
                interrupts.check()
                continue
            masks = None
            if run.dropout:  # like the order, of (seed, epoch, batch) alone: a run can be resumed
                rng = np.random.default_rng([run.seed, epoch, batch])
                masks = net.dropout_masks(stop - start, run.dropout, rng)
            gradients = net.backprop(
                Xb, T[start:stop], run.loss,
                weight_decay=run.weight_decay, check=False, masks=masks,
            )  # fmt: skip
            J = float(gradients.J)
            if math.isinf(limit) and math.isfinite(J):
                limit = run.explosion * (1 + abs(J))
            if not abs(J) <= limit or math.isinf(J):
                raise _diverged(run, epoch, batch, J, Xb, gradients)
            total += J * (stop - start)
            grads = gradients.flat()
            norm = None if run.clip is None else clip_by_norm(grads, run.clip)
            rate = optimizer.learning_rate()
            optimizer.step(params, grads)
            interrupts.check()
        if not all(np.isfinite(p).all() for p in params):
            raise _diverged(run, epoch, batch, J, Xb, gradients)
        held_out, share = None, None
        if validation is not None:
            held_out = float(net.loss(*validation, run.loss, check=False))
            share = _share(run, validation)
            if not math.isfinite(held_out):
                raise _diverged(run, epoch, batch, held_out, validation[0], None)
        norm = global_norm(grads) if norm is None else norm
    return Progress(epoch, optimizer.t, total / B, norm, rate, held_out, share), limit


def _diverged(
    run: _Run, epoch: int, batch: int, J: float, X: Array, gradients: Gradients | None
) -> Diverged:
    layer = first_bad_layer(run.net, X, gradients)
    where = "every layer is still finite" if layer is None else f"first bad layer: {layer}"
    return Diverged(
        f"train: the loss became {J:.3g} in epoch {epoch}, batch {batch} ({where}). "
        "The weights of the last good epoch are back in place. "
        f"The learning rate was {run.optimizer.learning_rate():.3g}: try a tenth of it, "
        "or limit the gradient with clip=1.0.",
        epoch,
        batch,
        layer,
        J,
    )


def _share(run: _Run, validation: tuple[Array, Array]) -> float | None:
    """Accuracy, where the loss is one for classes; None for regression."""
    if losses.fused_activation(run.loss) is None:
        return None
    return accuracy(run.net, *validation)


def _checked_data(what: str, net: MLP, X: Any, T: Any, loss: Callable) -> tuple[Array, Array]:
    X = net.as_batch(X)
    if X.shape[0] == 0:
        raise ValueError(f"train: {what} is an empty batch, shape {X.shape}.")
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(f"train: {what} has {X[row, column]} in row {row}, column {column}.")
    T = losses.targets(loss, T, (X.shape[0], net.widths[-1]), net.dtype)
    if not np.isfinite(T).all():
        raise ValueError(f"train: the targets of {what} hold NaN or infinity.")
    return X, T


def _whole(name: str, n: Any, least: int) -> None:
    if not (isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= least):
        raise ValueError(f"train: {name} must be a whole number >= {least}, got {n!r}.")
