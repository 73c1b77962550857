"""How moments and figures are written where Django's own formats of a language are not what its readers use."""
