"""The pages: chapters executed, pages made from records and code, Colab, the build."""
