"""Any timm backbone as classifier or regressor."""
