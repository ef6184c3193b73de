"""The client for one stream: ``EventSource``, for ``sse watch`` and for programs."""
