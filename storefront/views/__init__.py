"""The storefront's pages, by what a person comes for."""
