"""Puts templates, static files and bundled apps into the wheel, as the package `mortise_data`."""

import os

from setuptools import find_packages, setup

DATA = ("templates", "static", "apps")

rooms = find_packages(include=["schemas*", "runtime*", "builder*"])
folders = [folder for name in DATA for folder, _, files in os.walk(name) if files]
data = {f"mortise_data.{folder.replace(os.sep, '.')}": folder for folder in folders}

setup(
    packages=[*rooms, *data],
    package_dir=data,
    package_data={**dict.fromkeys(data, ["*"]), "runtime": ["translations/*/*/*.mo"]},
    py_modules=["cli", "wsgi"],
    exclude_package_data={"": ["*.pyc"]},
)
