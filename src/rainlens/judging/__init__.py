"""Judges from outside: the reader, and vision-language models behind a chat server.

The reader compares stored outputs without names, on a page of the book (`blind`, `reader`).

Models are asked which of two pictures has less rain. The papers had one judge for them (2026 paper,
Fig. 7 and 20), and do not give its prompt.
Any server that speaks the OpenAI-compatible chat interface can be asked here. Judges are known to
favour a place over a picture, so every pair is asked in both orders, and only a choice that holds
in both counts. Pictures go out as bare pixels: no file name, no metadata. Only the server that the
user names is ever contacted: no redirect is followed, no proxy or password of the environment used.

Replies are kept as they came, one JSON object a line, and what is answered is not asked again.
"""
