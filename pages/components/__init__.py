"""Pieces that two or more pages share."""
