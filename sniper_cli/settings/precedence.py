"""Who wins: flag > environment > profile > `[default]` > code, merged table by table by pydantic-settings.

Imported only when a profile is loaded: the library costs 50 ms, which `--help` and completion need not pay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from sniper_cli.settings.layers import PREFIX
from sniper_cli.settings.model import Settings


def merged(flags: Mapping[str, Any], tables: Sequence[Mapping[str, Any]]) -> Settings:
    """The settings that flags, the environment and the file's tables (the strongest first) make together.

    Raises pydantic's ValidationError.
    """

    # A class for each call, because pydantic-settings asks the class for its sources, and these belong to one profile.
    class ProfileSettings(Settings, BaseSettings):
        model_config = SettingsConfigDict(
            env_prefix=PREFIX,
            env_nested_delimiter="__",
            enable_decoding=False,  # lists are text with commas or JSON; the model reads both
            case_sensitive=True,  # or `Mode` in a file would be taken for `mode`, at the top level only
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - would want SNIPER_mode
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (
                init_settings,
                EnvSettingsSource(settings_cls, case_sensitive=False),
                *(InitSettingsSource(settings_cls, dict(table)) for table in tables),
            )

    return ProfileSettings(**flags)
