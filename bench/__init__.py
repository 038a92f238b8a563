"""Figures: what Mortise takes beside the same work written by hand, in one run on one machine."""
