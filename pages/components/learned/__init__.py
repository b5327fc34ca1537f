"""The views of the page What it learned, each in a module of its own."""
