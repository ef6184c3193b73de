"""Publish and subscribe behind ``/channels/{name}``: channels, histories, subscribers and their queues."""
