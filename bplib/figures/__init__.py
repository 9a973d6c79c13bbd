"""Live figures: in a notebook, in a static page without kernel or network, and on paper.

Needs ``anywidget`` (``pip install 'bplib[widgets]'``). ``bplib`` itself never imports this.
"""

from bplib.figures.base import Figure
from bplib.figures.bench import LayerBench
from bplib.figures.chain import BracketGame, FanoutLedger
from bplib.figures.check import CheckpointBudget, GradientCheck
from bplib.figures.graph import GraphExplorer

__all__ = [
    "BracketGame",
    "CheckpointBudget",
    "FanoutLedger",
    "Figure",
    "GradientCheck",
    "GraphExplorer",
    "LayerBench",
]
