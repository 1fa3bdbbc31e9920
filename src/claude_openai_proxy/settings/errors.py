"""What is wrong with the configuration."""


class SettingsError(Exception):
    """One line for a person: which setting, where it came from, what stands there and what may."""
