"""One file a screen: what it shows, its keys, where it leads."""
