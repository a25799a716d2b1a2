"""The LightningModule that every method is or subclasses."""
