"""One file a widget: its keys, its styles, its messages."""
