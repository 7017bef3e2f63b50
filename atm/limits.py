"""How long the ATM's side may take, in seconds, and how much it may send."""

CONNECT_SECONDS: float = 15
STATEMENT_SECONDS: float = 30
OVERRUN_SECONDS: float = 5  # for a server that does not keep the statement time-out
CLOSE_SECONDS: float = 5
CLEAN_UP_SECONDS: float = 15  # for all that has to be closed, where the way is given up
READ_SECONDS: float = 120  # a reading as a whole

ATTEMPTS = 3  # at reading, where what ended it passes by itself
PAUSE_SECONDS: float = 2  # between them

SESSION_BYTES = 256 * 1024**2  # five times what the most rows that are read at once take
