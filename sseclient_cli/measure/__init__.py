"""What is measured of streams: samples, totals, audits. It opens nothing."""
