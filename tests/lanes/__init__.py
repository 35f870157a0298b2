"""Whether both lanes mean the same: the fast lane must answer as the SDK does.

Two copies of one application, of which only one has a fast lane, get the same requests, ordinary and hostile. Their
responses and the requests that reach their endpoints must be equal; accepted differences are listed in `permitted`.

``python -m tests.lanes --count 100000`` mutates that many requests, counts them, and shows every other difference with
the shortest request that has it.
"""
