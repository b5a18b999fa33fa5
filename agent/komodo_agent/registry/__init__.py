"""The product's own registries: a stock registry in a container, started, looked into and tidied."""
