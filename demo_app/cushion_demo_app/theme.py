"""How the app looks: one palette, one style sheet, one place to change either.

Text on background is at least 7:1 (WCAG AAA) for body text, 4.5:1 for the muted tone.
"""

from __future__ import annotations

from cushion_demo_app.qt import QtGui, QtWidgets

BACKGROUND = "#0e1217"
SURFACE = "#171d25"
SURFACE_RAISED = "#212935"
LINE = "#2d3745"
TEXT = "#f1f4f8"
TEXT_MUTED = "#a3b0c0"
ACCENT = "#ffb547"
ACCENT_TEXT = "#1a1206"
COOL = "#6cc5ff"
DANGER = "#ff8a80"
LIVE = "#ff6b6b"

POSTER_TINTS = ("#3b5b92", "#8a4f7d", "#2f7f79", "#a3623a", "#5d58a6", "#4f7f3f")
"""Backgrounds of posters we draw ourselves."""


def colour(name: str, alpha: float = 1.0) -> QtGui.QColor:
    """A palette colour with an opacity of 0 to 1."""
    value = QtGui.QColor(name)
    value.setAlphaF(alpha)
    return value


def font(size_px: int, *, bold: bool = False, monospace: bool = False) -> QtGui.QFont:
    """The app's font at a size in device-independent pixels."""
    value = QtGui.QFont(QtWidgets.QApplication.font())
    if monospace:
        value = QtGui.QFontDatabase.systemFont(QtGui.QFontDatabase.SystemFont.FixedFont)
    value.setPixelSize(size_px)
    value.setWeight(QtGui.QFont.Weight.DemiBold if bold else QtGui.QFont.Weight.Normal)
    return value


_SHEET = f"""
QWidget {{ color: {TEXT}; font-size: 14px; }}
QMainWindow, QWidget#page {{ background: {BACKGROUND}; }}
QToolTip {{ background: {SURFACE_RAISED}; color: {TEXT}; border: 1px solid {LINE}; padding: 4px 8px; }}
QLabel#wordmark {{ font-size: 24px; font-weight: 700; }}
QLabel#headline {{ font-size: 20px; font-weight: 600; }}
QLabel#muted {{ color: {TEXT_MUTED}; }}
QLabel#detail {{ color: {TEXT_MUTED}; font-size: 12px; }}
QPlainTextEdit#detail {{ background: {BACKGROUND}; color: {TEXT_MUTED}; border: 1px solid {LINE}; font-size: 12px; }}
QPlainTextEdit#detail {{ border-radius: 6px; padding: 4px; }}
QPlainTextEdit#detail:focus {{ border: 1px solid {COOL}; }}
QFrame#breakPanel {{ background: rgba(5, 8, 12, 210); border: 1px solid {LINE}; border-radius: 10px; }}
QScrollBar:horizontal {{ background: transparent; height: 8px; margin: 0; }}
QScrollBar::handle:horizontal {{ background: {LINE}; border-radius: 4px; min-width: 32px; }}
QLabel#section {{ color: {TEXT_MUTED}; font-size: 13px; font-weight: 600; }}
QFrame#panel {{ background: {SURFACE}; border: 1px solid {LINE}; border-radius: 12px; }}
QFrame#banner {{ background: {SURFACE_RAISED}; border: 1px solid {DANGER}; border-radius: 12px; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {LINE}; border-radius: 5px; min-height: 32px; }}
QScrollBar::handle:vertical:hover {{ background: {TEXT_MUTED}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
QPushButton {{ background: {SURFACE_RAISED}; border: 1px solid {LINE}; border-radius: 8px; padding: 8px 18px; }}
QPushButton, QToolButton {{ font-weight: 600; }}
QPushButton:hover {{ background: {LINE}; }}
QPushButton:focus {{ border: 2px solid {COOL}; padding: 7px 17px; }}
QPushButton#primary {{ background: {ACCENT}; color: {ACCENT_TEXT}; border: 1px solid {ACCENT}; }}
QPushButton#primary:hover {{ background: #ffc670; }}
QPushButton#primary:focus {{ border: 2px solid {TEXT}; padding: 7px 17px; }}
QToolButton {{ background: transparent; border: 2px solid transparent; border-radius: 8px; padding: 4px 8px; }}
QToolButton {{ font-size: 13px; }}
QToolButton:hover {{ background: rgba(255, 255, 255, 40); }}
QToolButton:checked {{ color: {ACCENT}; }}
QToolButton:focus {{ border: 2px solid {COOL}; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QMenu {{ background: {SURFACE}; border: 1px solid {LINE}; border-radius: 10px; padding: 6px; }}
QMenu::item {{ padding: 7px 26px 7px 12px; border-radius: 6px; margin: 1px 0; }}
QMenu::item:selected {{ background: {LINE}; }}
QMenu::item:checked {{ color: {ACCENT}; font-weight: 600; }}
QMenu::indicator {{ width: 0; }}
QMenu::separator {{ height: 1px; background: {LINE}; margin: 6px 8px; }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: rgba(255, 255, 255, 70); }}
QSlider::sub-page:horizontal {{ background: {TEXT}; border-radius: 2px; }}
QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: {TEXT}; }}
QSlider:focus {{ border: 2px solid {COOL}; border-radius: 8px; }}
"""


def apply_theme(application: QtWidgets.QApplication) -> None:
    """Give the whole application the dark theme, the same on every platform."""
    application.setStyle("Fusion")
    palette = QtGui.QPalette()
    role = QtGui.QPalette.ColorRole
    for which, name in (
        (role.Window, BACKGROUND),
        (role.Base, SURFACE),
        (role.AlternateBase, SURFACE_RAISED),
        (role.Button, SURFACE_RAISED),
        (role.WindowText, TEXT),
        (role.Text, TEXT),
        (role.ButtonText, TEXT),
        (role.ToolTipBase, SURFACE_RAISED),
        (role.ToolTipText, TEXT),
        (role.PlaceholderText, TEXT_MUTED),
        (role.Highlight, ACCENT),
        (role.HighlightedText, ACCENT_TEXT),
        (role.Link, COOL),
    ):
        palette.setColor(which, QtGui.QColor(name))
    application.setPalette(palette)
    application.setStyleSheet(_SHEET)
