"""What the contract refuses, in every part of it."""


class Refused(ValueError):
    """What is no event by the contract, and why."""


class UnknownSubject(Refused):
    """What no event that is known here has: a newer reader may know it."""
