"""What a reader can touch: live panels for notebooks and for the static pages of the book."""
