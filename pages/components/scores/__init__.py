"""The scores of one head on the test part: of classes in four views, of numbers with their errors."""
