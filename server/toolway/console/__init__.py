"""Web pages for people: the documentation pages of an application."""
