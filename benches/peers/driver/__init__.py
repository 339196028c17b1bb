"""Runs push services of other makes beside each other; see README.md."""


class Broken(Exception):
    """Something is missing or went wrong, in words for whoever runs the measurement."""
