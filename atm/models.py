"""The connection test: what is asked for, and what each step of the way answered."""

from typing import Literal

from pydantic import BaseModel, Field

from ..models import In, Out
from ..words.told import Told, told_of


class ConnectionTestIn(In):
    """`{}` for the configuration that is saved, or a whole one, as it is saved."""

    class Config:
        extra = "allow"  # `ConfigIn` looks at what is in it


class ConnectionStep(BaseModel):
    name: str
    status: Literal["ok", "failed", "skipped"]
    detail: str
    duration_ms: int = 0
    told: list[Told] = Field([], description="`detail` as codes with values")

    _told = told_of("detail")


class ConnectionTest(Out):
    success: bool
    message: str
    told: list[Told] = Field([], description="`message` as codes with values")
    steps: list[ConnectionStep]
    ssh_host_key_fingerprint: str | None = None

    _told = told_of("message")
