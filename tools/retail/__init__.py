"""An order desk on a real database: find a customer, look at orders, cancel, change, return, exchange."""
