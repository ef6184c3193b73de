"""Communication between worker processes: questions to all of them, and the hub that passes the questions on."""
