"""bplib: the small library behind the book *Every Gradient Checked*."""

__version__ = "0.1.0"
