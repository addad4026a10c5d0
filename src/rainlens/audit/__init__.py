"""Will a network work on rain that it has not seen? An audit answers, for any deraining network.

`inputs` says on what, `answers` reads what came out, `networks` runs networks that can be run here,
`scores` measures and finds the words.
"""

from rainlens.audit.inputs import AuditError

__all__ = ["AuditError"]
