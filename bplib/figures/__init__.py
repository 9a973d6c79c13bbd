"""Live figures: in a notebook, in a static page without kernel or network, and on paper.

Needs ``anywidget`` (``pip install 'bplib[widgets]'``). ``bplib`` itself never imports this.
How to make one of your own in ten lines: CONTRIBUTING.md.
"""

from bplib.figures.base import Figure
from bplib.figures.bench import LayerBench
from bplib.figures.chain import BracketGame, FanoutLedger
from bplib.figures.check import CheckpointBudget, GradientCheck
from bplib.figures.graph import GraphExplorer
from bplib.figures.more import (
    DeadOrSaturated,
    Logits,
    PathsVsSweep,
    ShapeTailor,
    StepSize,
    TangentLens,
)
from bplib.figures.visual import label_lines, use_style

#: The figures by their number in the book.
FIGURES = {
    1: GraphExplorer,
    2: TangentLens,
    3: PathsVsSweep,
    4: FanoutLedger,
    5: BracketGame,
    6: LayerBench,
    7: ShapeTailor,
    8: DeadOrSaturated,
    9: Logits,
    10: GradientCheck,
    11: CheckpointBudget,
    12: StepSize,
}

__all__ = [
    "FIGURES",
    "BracketGame",
    "CheckpointBudget",
    "DeadOrSaturated",
    "FanoutLedger",
    "Figure",
    "GradientCheck",
    "GraphExplorer",
    "LayerBench",
    "Logits",
    "PathsVsSweep",
    "ShapeTailor",
    "StepSize",
    "TangentLens",
    "label_lines",
    "use_style",
]
