"""Fault injection behind ``/faults``: parameters, bytes, the body that sends them, and the fault log of ``/truth``."""
