"""Finds the packages: each folder at the root is a room that imports as `whyset.<folder>`."""

from setuptools import find_packages, setup

ROOMS = [
    "cli",
    "constitution",
    "datasets",
    "errors",
    "generators",
    "models",
    "pipelines",
    "retriever",
]

setup(
    package_dir={"whyset": "."},
    packages=[
        f"whyset.{package}"
        for package in find_packages(include=[*ROOMS, *(f"{room}.*" for room in ROOMS)])
    ],
)
