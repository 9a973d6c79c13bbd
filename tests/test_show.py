"""What a notebook stores must be the same text on every machine."""

from __future__ import annotations

import re

import numpy as np
import pytest

from bplib.show import Source, describe, number, show, table


def test_at_most_six_significant_digits():
    assert number(1 / 3) == "0.333333"
    assert number(123456.789) == "123457"
    with pytest.raises(ValueError, match="1 to 6"):
        number(1.0, digits=7)


def test_residue_is_zero_and_has_no_sign():
    assert number(-3e-17) == "0"
    assert table(np.array([1.0, -4e-17])) == "[1.000 0.000]"
    assert table(np.array([1.0, -1e-5])) == "[1.000 0.000]"


def test_rounding_noise_does_not_change_the_text():
    rng = np.random.default_rng(0)
    for scale in (1e-6, 1.0, 9.9999, 1e4, 1e9):
        values = scale * rng.normal(size=(5, 4))
        noisy = values * (1 + 1e-13 * rng.normal(size=values.shape))
        assert table(values) == table(noisy)


def test_a_maximum_just_below_a_power_of_ten_keeps_its_decimals():
    assert table(np.array([10.0 - 1e-13])) == table(np.array([10.0]))


def test_rows_of_one_call_share_their_decimals(capsys):
    show(a=np.array([1.0, -2.0]), long_name=np.array([10.0, 0.5]))
    a, b = capsys.readouterr().out.splitlines()
    assert a == "a         = [ 1.000 -2.000]"
    assert b == "long_name = [10.000  0.500]"


def test_kinds_of_values(capsys):
    show("text", 2.0, n=3, ok=np.bool_(True), shape=(3,), list=[1.5, "x"], k=np.arange(2))
    out = capsys.readouterr().out
    assert "text  2\n" in out
    for line in ("n     = 3", "ok    = True", "shape = (3,)", "list  = [1.5, x]", "k     = [0 1]"):
        assert line in out
    assert describe(np.array([np.nan, -np.inf])) == "[NaN  -∞]"
    with pytest.raises(TypeError, match="complex128"):
        show(z=np.array([1j]))


def test_no_output_has_more_than_six_digits(capsys):
    rng = np.random.default_rng(1)
    show(
        x=rng.normal(),
        v=1e3 * rng.normal(size=3),
        w=np.array([1e-3, 1.0]),
        M=rng.normal(size=(2, 2)),
    )
    for text in re.findall(r"\d[\d.]*", capsys.readouterr().out):
        assert len(text.replace(".", "").lstrip("0")) <= 7  # a shared decimal may add one digit


def test_a_function_is_shown_as_its_source():
    shown = show(number)
    assert isinstance(shown, Source)
    assert shown.text.startswith("def number(")
    assert shown._repr_markdown_().startswith("```python\ndef number(")
