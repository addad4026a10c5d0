"""rainlens: why restoration networks fail on degradations that they have not seen."""

__version__ = "0.1.0"
