"""Rows out to those who train on them: in their own formats, split, mixed, with a control."""

from ._control import CONTROL, restored
from ._example import ConsumerName, Kind, NotExported, Taken, take
from ._export import CONSUMERS, Export, consumer_named
from ._push import check_publishable, publish
from ._report import Exported, WrittenFile
from ._settings import ExportSettings, split_of
from ._trainers import Consumer, Style, WrittenFiles

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
