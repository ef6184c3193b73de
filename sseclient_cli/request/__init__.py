"""What to request, and the way to it: the target and its parts, proxies, redirects, addresses."""
