"""The page of all titles: what can be watched, what is being prepared, and what to do when the backend is away."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from cushion_demo_app.cards import JobPanel, TitleButton, TitleCard
from cushion_demo_app.geometry import grid_columns
from cushion_demo_app.notices import Spinner
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets
from cushion_sdk.contracts.ingest import IngestJob

_LEAST_CARD_PX = 270
_GAP_PX = 20


@dataclass(frozen=True, slots=True)
class CatalogState:
    """Everything the page shows. `offline`: a sentence when nothing answers; titles are then from before."""

    titles: tuple[TitleCard, ...] = ()
    jobs: tuple[IngestJob, ...] = ()
    loading: bool = False
    offline: str = ""


class CardGrid(QtWidgets.QWidget):
    """Cards in as many equal columns as fit; the arrow keys walk over them."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards: list[TitleButton | JobPanel] = []
        self._columns = 1

    def replace(self, cards: list[TitleButton | JobPanel]) -> None:
        """Show these, in this order; those that stay keep their widget and their focus."""
        for gone in set(self.cards) - set(cards):
            gone.hide()
            gone.deleteLater()
        self.cards = cards
        for card in cards:
            card.setParent(self)
            card.show()
        for first, second in pairwise(cards):
            QtWidgets.QWidget.setTabOrder(first, second)
        self._lay_out(self.width())

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        self._lay_out(event.size().width())

    def _lay_out(self, width: int) -> None:
        self._columns, card_width = grid_columns(width, _LEAST_CARD_PX, _GAP_PX)
        card_width = min(card_width, 420)
        bottom = 0
        for count, card in enumerate(self.cards):
            row, column = divmod(count, self._columns)
            card.fit_width(card_width)
            card.move(column * (card_width + _GAP_PX), row * (card.height() + _GAP_PX))
            bottom = card.y() + card.height()
        self.setMinimumHeight(bottom)

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        steps = {
            QtCore.Qt.Key.Key_Left: -1,
            QtCore.Qt.Key.Key_Right: 1,
            QtCore.Qt.Key.Key_Up: -self._columns,
            QtCore.Qt.Key.Key_Down: self._columns,
        }
        step = steps.get(QtCore.Qt.Key(event.key()))
        choices = [card for card in self.cards if isinstance(card, TitleButton)]
        here = next((place for place, card in enumerate(choices) if card.hasFocus()), None)
        if step is None or here is None:
            event.ignore()
            return
        there = here + step
        if 0 <= there < len(choices):
            choices[there].setFocus(QtCore.Qt.FocusReason.TabFocusReason)


class CatalogPage(QtWidgets.QWidget):
    """Wordmark, notice when the backend is away, and the grid."""

    title_chosen = QtCore.Signal(object)
    """The TitleCard that was pressed."""
    retry_requested = QtCore.Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_StyledBackground)
        self.notice = QtWidgets.QFrame()
        self.notice_headline = QtWidgets.QLabel("The backend does not answer")
        self.notice_sentence = QtWidgets.QLabel()
        self.retry_button = QtWidgets.QPushButton("Try again")
        self.section = QtWidgets.QLabel()
        self.empty = QtWidgets.QLabel(
            "Nothing to watch yet.\n\nAdd a film of your own with:  cushion ingest FILE --title NAME"
        )
        self.grid = CardGrid()
        self.spinner = Spinner(self)
        self._titles: dict[str, TitleButton] = {}
        self._jobs: dict[str, JobPanel] = {}
        self._build()
        self.show_state(CatalogState(loading=True))

    def _build(self) -> None:
        wordmark = QtWidgets.QLabel("Cushion")
        wordmark.setObjectName("wordmark")
        tagline = QtWidgets.QLabel("plays on when the network does not")
        tagline.setObjectName("muted")
        header = QtWidgets.QHBoxLayout()
        header.setSpacing(14)
        header.addWidget(wordmark)
        header.addWidget(tagline, 1, QtCore.Qt.AlignmentFlag.AlignBottom)
        self._build_notice()
        self.section.setObjectName("section")
        self.empty.setObjectName("muted")
        self.empty.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        scroll = QtWidgets.QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        inner = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 6, 24)
        column.addWidget(self.grid)
        column.addStretch(1)
        scroll.setWidget(inner)
        page = QtWidgets.QVBoxLayout(self)
        page.setContentsMargins(32, 24, 26, 0)
        page.setSpacing(14)
        page.addLayout(header)
        page.addWidget(self.notice)
        page.addWidget(self.section)
        page.addWidget(self.empty, 1)
        page.addWidget(scroll, 1)
        self._scroll = scroll

    def _build_notice(self) -> None:
        self.notice.setObjectName("panel")
        self.notice.setAccessibleName("The backend does not answer")
        self.notice_headline.setObjectName("headline")
        self.notice_sentence.setObjectName("muted")
        self.notice_sentence.setWordWrap(True)
        self.retry_button.setObjectName("primary")
        self.retry_button.clicked.connect(self.retry_requested)
        words = QtWidgets.QVBoxLayout()
        words.addWidget(self.notice_headline)
        words.addWidget(self.notice_sentence)
        row = QtWidgets.QHBoxLayout(self.notice)
        row.setContentsMargins(20, 16, 20, 16)
        row.setSpacing(20)
        row.addLayout(words, 1)
        row.addWidget(self.retry_button)

    def show_state(self, state: CatalogState) -> None:
        """Make the page agree with `state`."""
        self.spinner.set_waiting(state.loading and not state.titles and not state.jobs)
        self.notice.setVisible(bool(state.offline))
        self.notice_sentence.setText(state.offline)
        has_cards = bool(state.titles or state.jobs)
        self._scroll.setVisible(has_cards)
        self.empty.setVisible(not has_cards and not state.offline and not state.loading)
        self.section.setVisible(has_cards)
        self.section.setText("SEEN LAST TIME" if state.offline else "TITLES")
        self._show_cards(state)

    def _show_cards(self, state: CatalogState) -> None:
        titles: dict[str, TitleButton] = {}
        for card in state.titles:
            button = self._titles.get(card.title.title_id)
            if button is None:
                button = TitleButton(card)
                button.clicked.connect(lambda _checked=False, pressed=button: self.title_chosen.emit(pressed.card))
            elif button.card != card:
                button.show_card(card)
            titles[card.title.title_id] = button
        jobs: dict[str, JobPanel] = {}
        for job in state.jobs:
            panel = self._jobs.get(job.job_id) or JobPanel(job)
            if panel.job != job:
                panel.show_job(job)
            jobs[job.job_id] = panel
        self._titles, self._jobs = titles, jobs
        shown: list[TitleButton | JobPanel] = [*titles.values(), *jobs.values()]
        if shown != self.grid.cards:
            self.grid.replace(shown)

    def focus_card(self, title_id: str = "") -> None:
        """Put the keyboard on a title (the first when this one is not there)."""
        buttons = list(self._titles.values())
        target = self._titles.get(title_id) or (buttons[0] if buttons else None)
        if target is not None:
            target.setFocus(QtCore.Qt.FocusReason.OtherFocusReason)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        self.spinner.move((self.width() - self.spinner.width()) // 2, (self.height() - self.spinner.height()) // 2)
