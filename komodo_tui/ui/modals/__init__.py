"""Dialogs: each is a ``ModalScreen`` typed by its result. Import the modules."""
