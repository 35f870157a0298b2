"""The order desk of a shop, on a real database: find customers, look up orders, cancel, change, return, exchange."""
