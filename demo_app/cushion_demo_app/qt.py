"""The one place that imports PySide6. Everyone else writes `from cushion_demo_app.qt import QtCore, QtGui, QtWidgets`.

QtMultimedia is loaded on demand: it links libpulse hard, and a machine without that library must still show pictures.
So is Qt Quick, which only a machine with a graphics card needs.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from PySide6 import QtCore as QtCore
from PySide6 import QtGui as QtGui
from PySide6 import QtWidgets as QtWidgets


def load_multimedia() -> ModuleType | None:
    """QtMultimedia, or None where it cannot be loaded (no libpulse, no Addons)."""
    try:
        return importlib.import_module("PySide6.QtMultimedia")
    except ImportError:
        return None


def load_quick() -> ModuleType | None:
    """QtQuickWidgets, or None where it cannot be loaded (no OpenGL library)."""
    try:
        return importlib.import_module("PySide6.QtQuickWidgets")
    except ImportError:
        return None
