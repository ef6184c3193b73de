"""The request of a stream: the target and its parts, proxies, redirects, addresses."""
