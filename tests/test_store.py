"""Files of weights: what comes back, what is refused, and what a crash may leave (faults 44-57)."""

import io
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import textwrap
import time
import zipfile

import numpy as np
import pytest

from bplib import losses, nn, optim, plan, store, train
from tests.interrupts import lines_of, struck

RNG = np.random.default_rng(11)
X, T = RNG.normal(size=(40, 4)), RNG.integers(0, 3, 40)
OPTIONS = {"loss": "softmax_cross_entropy", "batch_size": 8}


def trained(kind=optim.Adam, dtype=np.float64, epochs=2, **options):
    net = nn.MLP([4, 6, 3], "relu", "softmax", dtype=dtype, seed=2, **options)
    optimizer = kind(0.01)
    train.fit(net, X, T, optimizer=optimizer, epochs=epochs, **OPTIONS)
    return net, optimizer


def same(a, b):
    return len(a) == len(b) and all(
        p.dtype == q.dtype and np.array_equal(p, q) for p, q in zip(a, b, strict=True)
    )


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "weights.npz"
    net, optimizer = trained()
    store.save(path, net, optimizer, {"epoch": 2})
    return path, net, optimizer


def rewrite(path, change):
    """Write the archive again with its members changed: {name: bytes} -> {name: bytes}."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members = change(members) or members
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)


def declare(path, change):
    """Change the manifest."""

    def edit(members):
        manifest = json.loads(members[store.MANIFEST])
        change(manifest)
        members[store.MANIFEST] = json.dumps(manifest).encode()

    rewrite(path, edit)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [None, *store.OPTIMIZERS.values()])
def test_what_is_saved_comes_back(tmp_path, kind, dtype):
    net, optimizer = trained(kind or optim.SGD, dtype)
    store.save(tmp_path / "w.npz", net, optimizer if kind else None, {"epoch": 2, "who": "é"})
    got = store.load(tmp_path / "w.npz")
    assert same(got.net.parameters(), net.parameters())
    assert repr(got.net) == repr(net)
    assert got.notes == {"epoch": 2, "who": "é"}
    if kind:
        assert vars(got.optimizer).keys() == vars(optimizer).keys()
        assert got.optimizer.t == optimizer.t
        assert same(got.optimizer.arrays(), optimizer.arrays())
        assert store._settings(got.optimizer) == store._settings(optimizer)
    else:
        assert got.optimizer is None
    for p in got.net.parameters():
        assert p.flags.writeable
        assert p.flags.c_contiguous


def test_numpy_opens_the_file_too(saved):
    path, net, _ = saved
    with np.load(path, allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["W1"], net.W[1])


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("kind", store.OPTIMIZERS.values())
def test_resuming_is_bit_for_bit(tmp_path, kind, planned):
    whole, resumed = nn.MLP([4, 6, 3], "relu", "softmax"), nn.MLP([4, 6, 3], "relu", "softmax")
    o = kind(0.01)
    records = train.fit(whole, X, T, optimizer=o, epochs=6, planned=planned, **OPTIONS).records
    train.fit(resumed, X, T, optimizer=(half := kind(0.01)), epochs=3, planned=planned, **OPTIONS)
    store.save(tmp_path / "w", resumed, half, {"epoch": 3})
    net, optimizer, notes = store.load(tmp_path / "w")
    assert optimizer is not None
    rest = train.fit(net, X, T, optimizer=optimizer, epochs=6, first=notes["epoch"] + 1,
                     planned=planned, **OPTIONS)  # fmt: skip
    assert same(net.parameters(), whole.parameters())
    assert same(optimizer.arrays(), o.arrays())
    assert optimizer.t == o.t
    assert rest.records == records[3:]
    assert rest.reason == "epochs"


@pytest.mark.parametrize(
    "layout",
    [lambda a: np.asfortranarray(a), lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
     lambda a: np.repeat(a, 2, axis=1)[:, ::2], lambda a: a.T.copy().T,
     lambda a: a.astype(a.dtype.newbyteorder(">"))],
)  # fmt: skip
def test_any_layout_of_memory_comes_back_exactly(tmp_path, layout):
    net, _ = trained()
    before = net.copy_parameters()
    net.W[1] = layout(net.W[1])
    assert np.array_equal(net.W[1], before[0])
    store.save(tmp_path / "w", net)
    assert same(store.load(tmp_path / "w").net.parameters(), before)


def test_load_into_fills_in_place_and_takes_a_schedule(tmp_path):
    net, _ = trained()
    schedule = optim.Adam(optim.cosine(0.01, 100))
    train.fit(net, X, T, optimizer=schedule, epochs=1, **OPTIONS)
    store.save(tmp_path / "w", net, schedule)
    with pytest.raises(ValueError, match="schedule, which is a function"):
        store.load(tmp_path / "w")
    other, optimizer = (
        nn.MLP([4, 6, 3], "relu", "softmax", seed=9),
        optim.Adam(optim.cosine(0.01, 100)),
    )
    held = other.W[1]
    assert store.load_into(tmp_path / "w", other, optimizer) == {}
    assert other.W[1] is held
    assert same(other.parameters(), net.parameters())
    assert same(optimizer.arrays(), schedule.arrays())
    assert optimizer.t == schedule.t


def test_without_biases_and_with_shared_weights(tmp_path):
    net = nn.MLP([4, 4, 4], "tanh", bias=False)
    net.W[2] = net.W[1]
    assert len(net.parameters()) == 1
    Y = RNG.normal(size=(40, 4))
    before = net.W[1].copy()
    g = net.backprop(X, Y, "squared_error")
    assert len(g.flat()) == 1
    h = 1e-6
    for i in [(0, 0), (2, 3)]:  # the sum of both layers' gradients
        net.W[1][i] = before[i] + h
        up = net.loss(X, Y, "squared_error")
        net.W[1][i] = before[i] - h
        slope = (up - net.loss(X, Y, "squared_error")) / (2 * h)
        net.W[1][i] = before[i]
        assert abs(slope - g.flat()[0][i]) < 1e-7
    twin = nn.MLP([4, 4, 4], "tanh", bias=False)
    twin.W[2] = twin.W[1]
    train.PlannedStep(twin, "squared_error", optim.SGD(0.1))(X, Y)
    optim.SGD(0.1).step(net.parameters(), g.flat())  # updated once
    np.testing.assert_array_equal(net.W[1], before - 0.1 * g.flat()[0])
    np.testing.assert_array_equal(twin.W[1], net.W[1])
    store.save(tmp_path / "w", net)
    with zipfile.ZipFile(tmp_path / "w") as archive:
        assert sorted(archive.namelist()) == ["W1.npy", store.MANIFEST]  # saved once
    got = store.load(tmp_path / "w").net
    assert got.W[2] is got.W[1]
    assert got.b == [None] * 3
    np.testing.assert_array_equal(got.W[1], net.W[1])


# Corrupt, foreign and hostile files


def refuses(path, words="corrupt"):
    net, optimizer = trained(epochs=1)
    before, state = net.copy_parameters(), optimizer.copy_state()
    for call in (lambda: store.load(path), lambda: store.load_into(path, net, optimizer)):
        with pytest.raises(ValueError, match=words) as error:
            call()
        assert path.name in str(error.value)
    assert same(net.parameters(), before)  # nothing was filled in part
    assert optimizer.t == state[0]
    assert same(optimizer.arrays(), [a for kept in state[1].values() for a in kept])


def test_truncated_at_every_tenth_byte(saved):
    path = saved[0]
    data = path.read_bytes()
    for n in range(0, len(data), max(1, len(data) // 60)):
        path.write_bytes(data[:n])
        with pytest.raises(ValueError, match=r"weights\.npz.*corrupt"):
            store.load(path)


def test_one_flipped_bit_is_noticed_or_harmless(saved):
    path, net, _ = saved
    data = path.read_bytes()
    noticed = 0
    positions = RNG.integers(0, 8 * len(data), 400)
    for bit in positions:
        wrong = bytearray(data)
        wrong[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(wrong)
        try:
            got = store.load(path)
        except ValueError:  # any other error is one too many
            noticed += 1
        else:  # dates and other fields of the archive that carry nothing
            assert same(got.net.parameters(), net.parameters())
            assert got.notes == {"epoch": 2}
    assert noticed > 0.8 * len(positions)


def test_every_flipped_bit_of_the_weights_is_noticed(saved):
    path, net, _ = saved
    data = path.read_bytes()
    start = data.index(net.W[1].tobytes())
    for bit in range(8 * start, 8 * (start + net.W[1].nbytes), 37):
        wrong = bytearray(data)
        wrong[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match="corrupt"):
            store.load(path)


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("it-ran",)


def test_a_pickle_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "w.npz"
    path.write_bytes(pickle.dumps(Bomb()))
    refuses(path)
    np.savez(path, W1=np.array([Bomb()], dtype=object))
    refuses(path)
    store.save(path, *trained())
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.array([Bomb()], dtype=object), allow_pickle=True)
    rewrite(path, lambda m: m.update({"W1.npy": buffer.getvalue()}))
    refuses(path)
    assert not (tmp_path / "it-ran").exists()


def test_nothing_in_the_package_can_unpickle():
    from pathlib import Path

    for file in Path(store.__file__).parent.rglob("*.py"):
        text = file.read_text()
        assert not re.search(r"import pickle|allow_pickle\s*=\s*True|np\.load\(", text), file


def test_a_lying_header_takes_no_memory(saved):
    path = saved[0]
    for shape in ([10**11, 6], [2**62, 4], [4, -6], [4, 6.0], ["4", 6], [4]):
        store.save(path, *saved[1:])
        declare(path, lambda m, shape=shape: m["arrays"]["W1"].update(shape=shape))
        refuses(path)
    store.save(path, *saved[1:])
    huge = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little")
    huge += b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000, 6), }".ljust(118)
    rewrite(path, lambda m: m.update({"W1.npy": huge + bytes(4 * 6 * 8)}))
    refuses(path)
    store.save(path, *saved[1:])
    declare(path, lambda m: m["network"].update(widths=[10**9, 10**9, 3]))
    refuses(path)


def test_a_compressed_bomb_is_refused_before_it_unfolds(saved, monkeypatch):
    path = saved[0]
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data if name == store.MANIFEST else bytes(50_000_000))
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *a: pytest.fail("something was unfolded"))
    refuses(path, "compressed")


FOREIGN = {
    "missing array": lambda m: m["arrays"].pop("W2"),
    "extra array": lambda m: m["arrays"].update(W9=m["arrays"]["W1"]),
    "digest": lambda m: m["arrays"]["W1"].update(sha256="0" * 64),
    "dtype": lambda m: m["arrays"]["W1"].update(dtype="<f4"),
    "object": lambda m: m["arrays"]["W1"].update(dtype="|O"),
    "big endian": lambda m: m["arrays"]["W1"].update(dtype=">f8"),
    "no arrays": lambda m: m.pop("arrays"),
    "no network": lambda m: m.pop("network"),
    "format text": lambda m: m.update(format="1"),
    "slots": lambda m: m["optimizer"].update(slots={"m": 1}),
    "widths": lambda m: m["network"].update(widths=[4, 6]),
}


@pytest.mark.parametrize("change", FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_contradicts_itself_is_refused(saved, change):
    declare(saved[0], change)
    refuses(saved[0])


def test_names_are_looked_up_and_never_run(saved):
    path = saved[0]
    declare(path, lambda m: m["network"].update(activations=["os.system", "softmax"]))
    with pytest.raises(ValueError, match=r"no activation is called 'os\.system'"):
        store.load(path)
    store.save(path, *saved[1:])
    declare(path, lambda m: m["optimizer"].update(kind="eval"))
    with pytest.raises(ValueError, match="holds the state of 'eval'; bplib has SGD"):
        store.load(path)
    store.save(path, *saved[1:])
    declare(path, lambda m: m["optimizer"]["settings"].update(nonsense=1))
    with pytest.raises(ValueError, match="optimizer cannot be made"):
        store.load(path)


def test_foreign_files_are_refused(tmp_path):
    path = tmp_path / "w"
    for data in (b"", b"hello", b"PK\x05\x06" + bytes(18), os.urandom(2000), b"\x93NUMPY\x01\x00"):
        path.write_bytes(data)
        refuses(path)
    np.savez(tmp_path / "w.npz", W1=np.ones((4, 6)))
    refuses(tmp_path / "w.npz", "manifest")


def test_a_newer_format_says_so(saved):
    declare(saved[0], lambda m: m.update(format=99, bplib="7.0"))
    with pytest.raises(ValueError, match=r"written by bplib 7\.0 in format 99; this is bplib"):
        store.load(saved[0])


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (nn.MLP([4, 7, 3], "relu", "softmax"), r"widths = \[4, 6, 3\].*widths = \[4, 7, 3\]"),
        (nn.MLP([4, 6, 3], "tanh", "softmax"), "activations = .*relu.*tanh"),
        (nn.MLP([4, 6, 3], "relu", "softmax", bias=False), "bias = .*True.*False"),
        (nn.MLP([4, 6, 3], "relu", "softmax", dtype=np.float32), "dtype = <f8.*dtype = <f4"),
    ],
)
def test_another_architecture_is_named_on_both_sides(saved, other, words):
    before = other.copy_parameters()
    with pytest.raises(ValueError, match=words):
        store.load_into(saved[0], other)
    assert same(other.parameters(), before)


def test_another_optimizer_is_named_on_both_sides(saved):
    with pytest.raises(ValueError, match="holds the state of Adam, the optimizer to fill is SGD"):
        store.load_into(saved[0], saved[1], optim.SGD(0.1))
    store.save(saved[0], saved[1])
    with pytest.raises(ValueError, match="holds no optimizer"):
        store.load_into(saved[0], saved[1], optim.SGD(0.1))


# Paths


def test_paths(tmp_path, monkeypatch):
    net, optimizer = trained()
    odd = tmp_path / "a folder" / "weights ü 数"
    odd.parent.mkdir()
    store.save(str(odd), net)
    assert same(store.load(str(odd)).net.parameters(), net.parameters())
    monkeypatch.chdir(odd.parent)
    store.save("relative", net)
    assert same(store.load("relative").net.parameters(), net.parameters())
    link = tmp_path / "link"
    link.symlink_to(odd)
    store.save(link, net, optimizer)
    assert link.is_symlink()
    assert store.load(odd).optimizer is not None
    for call in (lambda: store.save(tmp_path, net), lambda: store.load(tmp_path)):
        with pytest.raises(IsADirectoryError, match="is a folder"):
            call()
    with pytest.raises(FileNotFoundError, match="no folder"):
        store.save(tmp_path / "nowhere" / "w", net)
    with pytest.raises(FileNotFoundError):
        store.load(tmp_path / "nothing")
    assert sorted(p.name for p in odd.parent.iterdir()) == ["relative", odd.name]


def test_what_cannot_be_kept_is_refused_and_the_old_file_stays(saved):
    path, net, optimizer = saved
    before = path.read_bytes()
    with pytest.raises(ValueError, match="notes must be what JSON can hold"):
        store.save(path, net, optimizer, {"x": np.ones(2)})
    with pytest.raises(ValueError, match="notes must be"):
        store.save(path, net, optimizer, {"x": float("nan")})
    net.W[1][0, 0] = np.nan
    with pytest.raises(ValueError, match="W1 holds NaN"):
        store.save(path, net, optimizer)
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1


# Crashes


@pytest.mark.parametrize("where", ["open", "_write", "_read", "os.fsync", "os.replace"])
def test_a_failing_disk_leaves_the_old_file(saved, monkeypatch, where):
    path, net, optimizer = saved
    before = path.read_bytes()
    net.W[1] += 1

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"bplib.store.{where}", fail, raising=False)
    with pytest.raises(OSError, match="No space left"):
        store.save(path, net, optimizer)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="limits of file size are POSIX's")
def test_a_full_disk_leaves_the_old_file(saved):
    path, _, _ = saved
    before = path.read_bytes()
    code = f"""
        import resource, signal
        from bplib import nn, store
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        try:
            store.save({str(path)!r}, nn.MLP([400, 600, 3]))
        except OSError as error:
            print("refused", error.errno)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
    )
    assert done.stdout == "refused 27\n", done.stderr
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_killed_during_a_save_the_file_is_whole(tmp_path):
    path = tmp_path / "w"
    code = f"""
        import itertools, numpy as np
        from bplib import nn, store
        net = nn.MLP([100, 60, 3])
        for k in itertools.count():
            for p in net.parameters():
                p[...] = k
            store.save({str(path)!r}, net, None, {{"k": k}})
            if k == 0:
                print("ready", flush=True)
    """
    seen = set()
    for trial in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.002 + 0.013 * trial)
            process.kill()
        net, _, notes = store.load(path)
        assert all((p == notes["k"]).all() for p in net.parameters())
        seen.add(notes["k"])
    assert len(seen) > 1
    store.save(path, net)  # and what the killed processes left is swept away
    assert [p.name for p in tmp_path.iterdir()] == ["w"]


def test_the_temporary_file_of_a_living_process_is_not_swept(tmp_path):
    path, mine = tmp_path / "w", tmp_path / f".w.{os.getppid()}.tmp"
    mine.write_bytes(b"in use")
    (tmp_path / ".w.notanumber.tmp").write_bytes(b"someone's")
    store.save(path, trained()[0])
    assert mine.exists()
    assert (tmp_path / ".w.notanumber.tmp").exists()


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_during_a_save_waits_for_the_file_and_a_second_does_not(saved, monkeypatch, times):
    path, net, optimizer = saved
    before = net.copy_parameters()
    net.W[1] += 1
    fsync = os.fsync

    def strike(handle):
        fsync(handle)
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr("bplib.store.os.fsync", strike)
        with pytest.raises(KeyboardInterrupt):
            store.save(path, net, optimizer)
    assert same(store.load(path).net.parameters(), net.parameters() if times == 1 else before)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_interrupts_at_200_random_moments_lose_nothing(tmp_path):
    path = tmp_path / "w"
    reference: dict[int, list] = {}
    net, optimizer = nn.MLP([4, 6, 3], "relu", "softmax"), optim.Adam(0.01)
    for record in train.train(net, X, T, optimizer=optimizer, epochs=2, **OPTIONS):
        reference[record.epoch] = net.copy_parameters()

    def run():
        net, optimizer = nn.MLP([4, 6, 3], "relu", "softmax"), optim.Adam(0.01)
        for record in train.train(net, X, T, optimizer=optimizer, epochs=2, **OPTIONS):
            store.save(path, net, optimizer, {"epoch": record.epoch})

    run()
    last = lines_of(run)
    assert last > 1000
    reached = set()
    for moment in np.random.default_rng(0).integers(1, last, 200):
        net, optimizer = nn.MLP([4, 6, 3], "relu", "softmax"), optim.Adam(0.01)
        store.save(path, net, optimizer, {"epoch": 0})
        with pytest.raises(KeyboardInterrupt):
            struck(run, int(moment))
        got, _, notes = store.load(path)
        reached.add(notes["epoch"])
        if notes["epoch"]:
            assert same(got.parameters(), reference[notes["epoch"]])
        assert [p.name for p in tmp_path.iterdir()] == ["w"]
    assert reached == {0, 1, 2}  # the moments lie in every epoch and in every save


def test_optimizers_refuse_nonsense_when_made():
    for kind in store.OPTIMIZERS.values():
        for lr in (0, -1, float("nan"), float("inf"), "0.1"):
            with pytest.raises(ValueError, match="lr must be"):
                kind(lr)
    with pytest.raises(ValueError, match="beta2"):
        optim.Adam(0.1, betas=(0.9, 1.0))


def test_a_loaded_network_is_planned_and_trained_like_any_other(saved):
    net, optimizer, _ = store.load(saved[0])
    step = train.PlannedStep(net, "softmax_cross_entropy", optimizer)
    J = [float(step(X, losses.one_hot(T, 3))) for _ in range(20)]
    assert J[-1] < J[0]
    assert isinstance(step.latest, plan.Plan)
