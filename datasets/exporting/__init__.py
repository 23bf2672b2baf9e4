"""Rows out to those who train on them: in their own formats, split, mixed, with a control."""

from ._account import Exported, WrittenFile
from ._consumer import Consumer, Style, WrittenFiles
from ._consumers import CONSUMERS, consumer_named
from ._control import CONTROL, restored
from ._drawing import split_of
from ._export import Export
from ._kinds import ConsumerName, Kind, NotExported
from ._publishing import check_publishable, publish
from ._settings import ExportSettings
from ._taking import Taken, take

__all__ = [
    "CONSUMERS",
    "CONTROL",
    "Consumer",
    "ConsumerName",
    "Export",
    "ExportSettings",
    "Exported",
    "Kind",
    "NotExported",
    "Style",
    "Taken",
    "WrittenFile",
    "WrittenFiles",
    "check_publishable",
    "consumer_named",
    "publish",
    "restored",
    "split_of",
    "take",
]
