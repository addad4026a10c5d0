"""rainlens: why restoration networks fail on degradations that they have not seen."""

__version__ = "0.1.0"
REPOSITORY = "https://github.com/rainlens/rainlens"
PAPER = "https://arxiv.org/abs/2502.12600"
FIRST_PAPER = "https://arxiv.org/abs/2305.15134"
