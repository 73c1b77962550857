"""Measurements: ``make bench`` loads a documented data set and says how far each figure is from its floor."""
