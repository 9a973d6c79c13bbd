"""The figures of chapter 13. Each function draws and returns the numbers it has drawn."""

from __future__ import annotations

from collections.abc import Iterable

from bplib import style


def swell(rounds: Iterable[int], formula: list[int], program: list[int]) -> dict[str, list[int]]:
    """Draw the length of a derivative as a formula and as a program, over the rounds."""
    rounds = list(rounds)
    with style.axes() as ax:
        for values, role, text in (
            (formula, "gradient", "written out"),
            (program, "value", "as a program"),
        ):
            ax.plot(rounds, values, **style.line(role))
            style.label(ax, rounds[-1], values[-1], text, role)
        ax.set_yscale("log")
        ax.set(
            xlabel="rounds of the logistic map",
            ylabel="operations",
            title="How long is the derivative?",
            xlim=(0.7, 12.4),
            xticks=rounds,
            ylim=(3, 1e5),
        )
    return {"formula": formula, "program": program}
