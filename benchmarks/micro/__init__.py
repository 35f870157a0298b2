"""The pieces of a call, timed one by one: ``make bench-micro``. Nothing here asserts on time."""
