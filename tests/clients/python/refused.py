"""What the contract refuses, in every part of it."""


class Refused(ValueError):
    """What is no event by the contract, and why."""
