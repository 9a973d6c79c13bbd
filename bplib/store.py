"""Weights on disk: no pickle, checked to the last bit, replaced as a whole or not at all.

A file is a zip archive of .npy arrays, so `numpy.load` opens it, and a manifest in JSON: format,
architecture, optimizer, and the shape, dtype and SHA-256 of every array. Nothing in a file is ever
run: names in it are looked up in tables of bplib, and everything declared is compared with the
model and with the size of the file before memory is taken.

A save goes to a temporary file in the same folder, which is written, read back, flushed to the disk
and only then renamed over the old one. A crash at any moment leaves the old file or the new one.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import bplib

from . import optim
from ._interrupts import Interrupts
from .nn import MLP
from .optim import Optimizer

FORMAT = 1
MANIFEST = "manifest.json"
MANIFEST_LIMIT = 1 << 20  # bytes; a network of a thousand layers needs a fifth of it
DTYPES: dict[str, np.dtype[Any]] = {"<f4": np.dtype("<f4"), "<f8": np.dtype("<f8")}
OPTIMIZERS = {
    kind.__name__: kind
    for kind in (optim.SGD, optim.Momentum, optim.Nesterov, optim.RMSProp, optim.Adam, optim.AdamW)
}


class Saved(NamedTuple):
    """What `load` returns: the network, the optimizer or None, and the notes saved with them."""

    net: MLP
    optimizer: Optimizer | None
    notes: dict[str, Any]


def save(
    path: str | os.PathLike[str],
    net: MLP,
    optimizer: Optimizer | None = None,
    notes: dict[str, Any] | None = None,
) -> None:
    """Write the network, and the optimizer's state if given, to `path`, replacing it as a whole.

    `notes` is anything JSON can hold, such as the number of the epoch. A symbolic link is followed.
    Raises OSError when the disk or the folder refuses, ValueError for weights that are not finite
    numbers of float32 or float64 or for notes that JSON cannot hold; the old file is then unchanged
    and no temporary file is left. A Ctrl-C takes effect when the file is whole.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"store.save: {str(path)!r} is a folder; give the name of a file")
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"store.save: there is no folder {str(target.parent)!r}; make it first"
        )
    arrays = _arrays(net, optimizer)
    manifest = _manifest(net, optimizer, notes, arrays)
    _sweep(target)
    temporary = target.parent / f".{target.name}.{os.getpid()}.tmp"
    # An archive that is cut off while it is written raises an error of its own over the Ctrl-C.
    with Interrupts():
        try:
            with open(temporary, "xb") as file:  # noqa: PTH123  (exclusive, kept open for fsync)
                _write(file, manifest, arrays)
                file.flush()
                os.fsync(file.fileno())
            _read(temporary, str(path), expected=manifest)  # what the disk has is what was meant
            os.replace(temporary, target)  # noqa: PTH105  (the name that tests make fail)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _flush_folder(target.parent)


def load(path: str | os.PathLike[str]) -> Saved:
    """Return the network, the optimizer and the notes that `save` wrote.

    Raises FileNotFoundError, or ValueError naming the file: it is corrupt, of another kind, written
    by a newer format, or its optimizer follows a schedule (then use `load_into`).
    """
    name = str(path)
    manifest, arrays = _read(Path(path), name)
    net = _network(manifest, name)
    optimizer = None
    if manifest["optimizer"] is not None:
        optimizer = _optimizer(manifest["optimizer"], name)
    _put(net, optimizer, manifest, arrays, name)
    return Saved(net, optimizer, manifest["notes"])


def load_into(
    path: str | os.PathLike[str], net: MLP, optimizer: Optimizer | None = None
) -> dict[str, Any]:
    """Write what `save` wrote into an existing network (and optimizer), in place; return the notes.

    Everything is read and checked before the first number is changed. Raises ValueError as `load`
    does, and when architecture, dtype or optimizer differ, naming both sides.
    """
    name = str(path)
    meant = _architecture(net)

    def agrees(manifest: dict[str, Any]) -> None:
        for key, ours in meant.items():
            if manifest["network"].get(key) != ours:
                raise ValueError(
                    f"store: {name!r} holds a network with {key} = {manifest['network'].get(key)}, "
                    f"the network to fill has {key} = {ours}"
                )
        if optimizer is not None:
            have = (manifest["optimizer"] or {}).get("kind")
            if have != type(optimizer).__name__:
                raise ValueError(
                    f"store: {name!r} holds {f'the state of {have}' if have else 'no optimizer'}, "
                    f"the optimizer to fill is {type(optimizer).__name__}"
                )

    manifest, arrays = _read(Path(path), name, check=agrees)
    _put(net, optimizer, manifest, arrays, name)
    return manifest["notes"]


# What is written


def _arrays(net: MLP, optimizer: Optimizer | None) -> dict[str, np.ndarray]:
    arrays = {}
    for layer in range(1, net.L + 1):
        arrays[f"W{layer}"] = net.W[layer]
        if net.b[layer] is not None:
            arrays[f"b{layer}"] = net.b[layer]
    if optimizer is not None:
        for name, kept in optimizer.slots.items():
            arrays.update({f"{name}.{i}": a for i, a in enumerate(kept)})
    for key, a in arrays.items():
        if a.dtype.newbyteorder("=") not in (np.float32, np.float64):
            raise ValueError(
                f"store.save: {key} has dtype {a.dtype}; only float32 and float64 are kept"
            )
        if not np.isfinite(a).all():
            raise ValueError(f"store.save: {key} holds NaN or infinity; the old file is kept")
    return arrays


def _architecture(net: MLP) -> dict[str, Any]:
    first: dict[int, str] = {}
    shared = {}
    for layer in range(1, net.L + 1):
        for letter, a in (("W", net.W[layer]), ("b", net.b[layer])):
            if a is not None and first.setdefault(id(a), f"{letter}{layer}") != f"{letter}{layer}":
                shared[f"{letter}{layer}"] = first[id(a)]
    return {
        "widths": list(net.widths),
        "activations": [phi.name for phi in net.phi[1:]],
        "bias": [b is not None for b in net.b[1:]],
        "dtype": net.dtype.newbyteorder("<").str,
        "shared": shared,
    }


def _settings(optimizer: Optimizer) -> dict[str, Any]:
    kept = {k: v for k, v in vars(optimizer).items() if k not in ("t", "slots", "lr")}
    kept["lr"] = None if callable(optimizer.lr) else float(optimizer.lr)
    return {
        "kind": type(optimizer).__name__, "settings": kept, "t": optimizer.t,
        "slots": {name: len(arrays) for name, arrays in optimizer.slots.items()},
    }  # fmt: skip


def _manifest(
    net: MLP, optimizer: Optimizer | None, notes: Any, arrays: dict[str, np.ndarray]
) -> dict[str, Any]:
    manifest = {
        "format": FORMAT,
        "bplib": bplib.__version__,
        "network": _architecture(net),
        "optimizer": None if optimizer is None else _settings(optimizer),
        "notes": notes or {},
        "arrays": {
            key: {
                "shape": list(a.shape),
                "dtype": a.dtype.newbyteorder("<").str,
                "sha256": _digest(a),
            }
            for key, a in arrays.items()
            if key not in _architecture(net)["shared"]
        },
    }
    try:
        return json.loads(json.dumps(manifest, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(f"store.save: notes must be what JSON can hold: {error}") from None


def _dense(a: np.ndarray) -> np.ndarray:
    # The memory of a transposed or reversed view is not in the order of its entries: lay it out.
    return np.ascontiguousarray(a, dtype=a.dtype.newbyteorder("<"))


def _digest(a: np.ndarray) -> str:
    return hashlib.sha256(_dense(a).tobytes()).hexdigest()


def _write(file: Any, manifest: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        # A fixed date: the same weights give the same file.
        archive.writestr(zipfile.ZipInfo(MANIFEST), json.dumps(manifest, indent=1, sort_keys=True))
        for key in manifest["arrays"]:
            buffer = io.BytesIO()
            np.lib.format.write_array(
                buffer, _dense(arrays[key]), version=(1, 0), allow_pickle=False
            )
            archive.writestr(zipfile.ZipInfo(f"{key}.npy"), buffer.getbuffer())


def _sweep(target: Path) -> None:
    """Remove what a killed process left: temporary files of this name whose process is gone."""
    if os.name != "posix":
        return
    for stray in target.parent.glob(f".{target.name}.*.tmp"):
        number = stray.name.removeprefix(f".{target.name}.").removesuffix(".tmp")
        if not number.isdigit():
            continue
        try:
            if int(number) != os.getpid():
                os.kill(int(number), 0)  # signal 0 only asks whether the process exists
                continue
        except ProcessLookupError:
            pass
        except (OSError, OverflowError):
            continue
        with contextlib.suppress(OSError):
            stray.unlink()


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# What is read


def _corrupt(name: str, why: str) -> ValueError:
    return ValueError(f"store: {name!r} is corrupt or no file of bplib's: {why}")


def _read(
    path: Path, name: str, expected: dict[str, Any] | None = None, check: Any = None
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return manifest and arrays of a file, everything compared before memory is taken."""
    if path.is_dir():
        raise IsADirectoryError(f"store: {name!r} is a folder; give the name of a file")
    try:
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            members = _members(archive, name, size)
            manifest = _parse(archive, members, name)
            if expected is not None and manifest != expected:
                raise _corrupt(name, "the manifest read back differs from the one written")
            declared = _declared(manifest, members, name)
            if check is not None:
                check(manifest)
            arrays = {
                key: _array(archive, members[f"{key}.npy"], key, shape, dtype, digest, name)
                for key, (shape, dtype, digest) in declared.items()
            }
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise _corrupt(name, str(error) or type(error).__name__) from error
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise _corrupt(name, f"{type(error).__name__}: {error}") from error
    return manifest, arrays


def _members(archive: zipfile.ZipFile, name: str, size: int) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    total = 0
    for info in archive.infolist():
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise _corrupt(
                name, f"{info.filename!r} is compressed; bplib stores arrays as they are"
            )
        if info.filename in members:
            raise _corrupt(name, f"{info.filename!r} is there twice")
        total += info.file_size
        members[info.filename] = info
    if total > size:
        raise _corrupt(name, f"it declares {total:,} bytes and has {size:,}")
    return members


def _parse(archive: zipfile.ZipFile, members: dict[str, Any], name: str) -> dict[str, Any]:
    if MANIFEST not in members:
        raise _corrupt(name, f"it has no {MANIFEST}")
    if members[MANIFEST].file_size > MANIFEST_LIMIT:
        raise _corrupt(name, f"its manifest has {members[MANIFEST].file_size:,} bytes")
    try:
        manifest = json.loads(archive.read(MANIFEST).decode("utf-8"))
    except ValueError as error:
        raise _corrupt(name, f"its manifest is no JSON ({error})") from None
    if not isinstance(manifest, dict) or type(manifest.get("format")) is not int:
        raise _corrupt(name, "its manifest names no format")
    if manifest["format"] > FORMAT:
        raise ValueError(
            f"store: {name!r} was written by bplib {manifest.get('bplib')} in format "
            f"{manifest['format']}; this is bplib {bplib.__version__}, which reads up to {FORMAT}"
        )
    return manifest


def _declared(manifest: dict[str, Any], members: dict[str, Any], name: str) -> dict[str, Any]:
    declared = {}
    for key, entry in manifest["arrays"].items():
        shape = tuple(entry["shape"])
        dtype = DTYPES.get(entry["dtype"])
        if dtype is None or not all(type(n) is int and n >= 0 for n in shape) or len(shape) > 2:
            raise _corrupt(name, f"{key} is declared as {entry['dtype']} {shape}")
        member = members.get(f"{key}.npy")
        count = 1
        for n in shape:
            count *= n  # Python's integers: no overflow to hide behind
        if member is None or not 0 <= member.file_size - count * dtype.itemsize <= 4096:
            have = "not there" if member is None else f"{member.file_size:,} bytes"
            raise _corrupt(name, f"{key} of shape {shape} {dtype} is {have}")
        declared[key] = (shape, dtype, entry["sha256"])
    extra = set(members) - {f"{key}.npy" for key in declared} - {MANIFEST}
    if extra:
        raise _corrupt(name, f"it also holds {sorted(extra)[:3]}, which its manifest does not name")
    _fits_network(manifest, declared, name)
    return declared


def _expected(manifest: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the arrays that the declared architecture has, with their shapes."""
    network = manifest["network"]
    widths, shared = network["widths"], network["shared"]
    if len(widths) < 2 or len(network["bias"]) != len(widths) - 1:
        raise KeyError("widths and biases do not agree")
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(1, len(widths)):
        shapes[f"W{layer}"] = (widths[layer - 1], widths[layer])
        if network["bias"][layer - 1]:
            shapes[f"b{layer}"] = (widths[layer],)
    shapes = {key: s for key, s in shapes.items() if key not in shared}
    slots = (manifest["optimizer"] or {}).get("slots", {})
    parameters = list(shapes.values())
    for slot, count in slots.items():
        if count != len(parameters):
            raise KeyError(f"{count} arrays {slot} for {len(parameters)} parameters")
        shapes.update({f"{slot}.{i}": s for i, s in enumerate(parameters)})
    return shapes


def _fits_network(manifest: dict[str, Any], declared: dict[str, Any], name: str) -> None:
    expected = _expected(manifest)
    given = {key: shape for key, (shape, _, _) in declared.items()}
    if expected != given:
        missing = sorted(set(expected) - set(given))
        extra = sorted(set(given) - set(expected))
        other = sorted(k for k in set(given) & set(expected) if given[k] != expected[k])
        raise _corrupt(
            name,
            f"its arrays are not those of its network: missing {missing}, extra {extra}, "
            f"of another shape {[(k, given[k], expected[k]) for k in other]}",
        )
    dtypes = {dtype.str for _, dtype, _ in declared.values()}
    if dtypes - {manifest["network"]["dtype"]}:
        raise _corrupt(name, f"a network of {manifest['network']['dtype']} has arrays of {dtypes}")


def _array(
    archive: zipfile.ZipFile, member: Any, key: str, shape: Any, dtype: Any, digest: str, name: str
) -> np.ndarray:
    data = archive.read(member)  # checks the CRC
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        if version != (1, 0):
            raise ValueError(f"its .npy version is {version}")
        header = np.lib.format.read_array_header_1_0(stream)
    except ValueError as error:
        raise _corrupt(name, f"{key}: {error}") from None
    if header != (shape, False, dtype):
        raise _corrupt(name, f"{key} is declared as {shape} {dtype} and stored as {header}")
    raw = data[stream.tell() :]
    if len(raw) != int(np.prod(shape, dtype=object)) * dtype.itemsize:
        raise _corrupt(name, f"{key} has {len(raw):,} bytes of data")
    if hashlib.sha256(raw).hexdigest() != digest:
        raise _corrupt(name, f"{key} does not have the SHA-256 of its manifest")
    return np.frombuffer(raw, dtype).reshape(shape)


def _network(manifest: dict[str, Any], name: str) -> MLP:
    network = manifest["network"]
    *hidden, output = network["activations"]
    try:
        net = MLP(
            network["widths"], list(hidden), output, init="zeros",
            bias=any(network["bias"]), dtype=DTYPES[network["dtype"]].newbyteorder("="),
        )  # fmt: skip
    except (ValueError, TypeError, KeyError) as error:
        raise _corrupt(name, f"its network cannot be made: {error}") from None
    for layer, kept in enumerate(network["bias"], 1):
        if not kept:
            net.b[layer] = None
    for key, of in network["shared"].items():
        letter = {"W": net.W, "b": net.b}
        letter[key[0]][int(key[1:])] = letter[of[0]][int(of[1:])]
    return net


def _optimizer(entry: dict[str, Any], name: str) -> Optimizer:
    kind = OPTIMIZERS.get(entry["kind"])
    if kind is None:
        raise ValueError(
            f"store: {name!r} holds the state of {entry['kind']!r}; bplib has "
            f"{', '.join(OPTIMIZERS)}. "
            "Use load_into with an optimizer of your own."
        )
    settings = dict(entry["settings"])
    if settings["lr"] is None:
        raise ValueError(
            f"store: the optimizer in {name!r} follows a schedule, which is a function and not "
            "stored; use load_into(path, net, optimizer) with the schedule you trained with."
        )
    if "betas" in settings:
        settings["betas"] = tuple(settings["betas"])
    try:
        return kind(**settings)
    except (TypeError, ValueError) as error:
        raise _corrupt(name, f"its optimizer cannot be made: {error}") from None


def _put(
    net: MLP,
    optimizer: Optimizer | None,
    manifest: dict[str, Any],
    arrays: dict[str, np.ndarray],
    name: str,
) -> None:
    """Write the checked arrays into the network and the optimizer: the last step of a load."""
    state = None
    if optimizer is not None:
        entry = manifest["optimizer"]
        native = net.dtype
        state = (
            int(entry["t"]),
            {
                slot: [arrays[f"{slot}.{i}"].astype(native) for i in range(count)]
                for slot, count in entry["slots"].items()
            },
        )
        if state[0] > 0 and set(state[1]) != set(optimizer.state):
            raise _corrupt(
                name, f"{entry['kind']} keeps {optimizer.state}, it holds {set(state[1])}"
            )
    shared = manifest["network"]["shared"]
    for layer in range(1, net.L + 1):
        for letter, held in (("W", net.W), ("b", net.b)):
            key = f"{letter}{layer}"
            if held[layer] is not None and key not in shared:
                held[layer][...] = arrays[key]
    if optimizer is not None and state is not None:
        optimizer.load_state(state)
