"""68 landmarks as the centres of heat maps over the features of a timm backbone."""
