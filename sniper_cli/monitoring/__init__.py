"""What a screen shows, read from the state: nothing here changes anything.

`snapshot` gives the dashboard in one read transaction; `stories` gives everything known about one launch,
position or order; `sentences` puts a journal record into words.
"""
