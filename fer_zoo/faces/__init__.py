"""Parametric faces: models, actions, appearance, scenes and the renderer."""
