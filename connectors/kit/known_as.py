"""What an identity provider calls an application: its name here, its title, or what the settings call it besides."""

from __future__ import annotations

from governance.errors import ConfigurationError
from governance.settings import ApplicationSettings


def is_called(label: str | None, application: ApplicationSettings) -> bool:
    """Whether that is what the application is called there; case does not count."""
    names = (application.name, application.label, *application.known_as)
    return label is not None and label.strip().casefold() in {name.strip().casefold() for name in names}


def unknown_there(place: str, application: ApplicationSettings) -> ConfigurationError:
    """That nothing is called so."""
    called = ", ".join(f"“{name}”" for name in dict.fromkeys((application.name, application.label)))
    return ConfigurationError(
        f"{place}: no application is called {called} there; known_as of {application.name} says what it is called"
    )
