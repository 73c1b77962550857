"""The page kit of the front doors."""
