"""Puts templates, static files and bundled apps into the wheel, as the package `mortise_data`."""

from setuptools import find_packages, setup

DATA = ("templates", "static", "apps")

rooms = find_packages(include=["schemas*", "runtime*", "builder*"])
data = {f"mortise_data.{name}": name for name in DATA}

setup(
    packages=[*rooms, *data],
    package_dir=data,
    package_data={**dict.fromkeys(data, ["**/*"]), "runtime": ["translations/**/*.mo"]},
    py_modules=["cli", "wsgi"],
    exclude_package_data={"": ["**/__pycache__/*"]},
)
