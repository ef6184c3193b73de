"""Small applications that tests serve with a real server: each has a fault that people's have."""
