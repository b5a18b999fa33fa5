"""Pure functions from domain objects to cells and lines. Nothing here knows a widget or a clock."""
