"""What is wrong with the configuration."""


class SettingsError(Exception):
    """A line for a person for each problem: which setting, where it came from, what stands there and what may."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
