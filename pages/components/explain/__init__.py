"""The views of the page Why, each in a module of its own."""
