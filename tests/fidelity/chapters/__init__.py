"""The chapters: endpoints of one kind, each followed by the cases that call it."""
