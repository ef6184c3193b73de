"""Measurement of streams: samples, totals, audits. It opens no files and no connections."""
