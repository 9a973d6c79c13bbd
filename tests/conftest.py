"""What several tests ask for: a chapter's figures, drawn but not shown."""

import importlib
import sys

import pytest


@pytest.fixture
def drawing(monkeypatch):
    """Import a chapter's figures, `drawing("ch05")`, and keep each figure that is shown."""
    import matplotlib as mpl  # here, so that tests without a figure start sooner
    import matplotlib.pyplot as plt

    mpl.use("agg")
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))
    monkeypatch.setattr(plt, "close", lambda figure=None: None)

    def load(name):
        sys.modules.pop(f"_figures.{name}", None)
        return importlib.import_module(f"_figures.{name}"), shown

    with mpl.rc_context():
        yield load
    monkeypatch.undo()
    plt.close("all")
