"""The pages: chapters executed, the front page and the page on provenance, Colab, the build."""
