"""Where programs and their files are, on the machine that the clients run on."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """`environment` is the user's own, `platform` as in `sys.platform`."""

    environment: Mapping[str, str] = field(repr=False)
    platform: str

    @property
    def home(self) -> Path:
        """The user's."""
        return Path(self.environment.get("HOME") or self.environment.get("USERPROFILE") or "~").expanduser()

    def config(self, *names: str) -> Path:
        """Below the folder that the XDG rules name; programs that follow them do so on macOS too."""
        configured = self.environment.get("XDG_CONFIG_HOME")
        return Path(configured or self.home / ".config").joinpath(*names)

    def application_support(self, *names: str) -> Path:
        """Below the platform's own folder for the files of programs."""
        if self.platform == "win32" and (roaming := self.environment.get("APPDATA")):
            return Path(roaming).joinpath(*names)
        if self.platform == "darwin":
            return self.home.joinpath("Library", "Application Support", *names)
        return self.config(*names)

    def program(self, name: str) -> str | None:
        """Its path, where it can be found."""
        return shutil.which(name, path=self.environment.get("PATH", ""))
