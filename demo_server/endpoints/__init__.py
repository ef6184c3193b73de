"""The endpoints: one module per URL or family of URLs, each with its routes and their OpenAPI texts."""
