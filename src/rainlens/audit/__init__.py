"""Will a network work on rain that it has not seen? An audit answers, for any deraining network.

`report` makes a card of a network or of its outputs. `inputs` says on what, `answers` reads what
came out, `networks` and `programs` run networks that can be run here, `scores` measures and finds
the words, `recorded` has the cards of the book's own networks.
"""

from rainlens.audit.inputs import AuditError

__all__ = ["AuditError"]
