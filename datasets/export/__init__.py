"""Rows out to those who train on them: in their own formats, split, mixed, with a control."""

from whyset.errors import UnsupportedRow

from ._control import CONTROL_OUTCOME, restore_original
from ._example import Example, ExportKind, read_example
from ._export import Export
from ._format import DatasetFiles, ExportStyle, TrainerFormat
from ._push import check_hub_name, upload_to_hub
from ._report import ExportedFile, ExportReport
from ._settings import ExportSettings, assign_split
from ._trainers import TRAINERS, get_trainer

__all__ = [
    "CONTROL_OUTCOME",
    "TRAINERS",
    "DatasetFiles",
    "Example",
    "Export",
    "ExportKind",
    "ExportReport",
    "ExportSettings",
    "ExportStyle",
    "ExportedFile",
    "TrainerFormat",
    "UnsupportedRow",
    "assign_split",
    "check_hub_name",
    "get_trainer",
    "read_example",
    "restore_original",
    "upload_to_hub",
]
