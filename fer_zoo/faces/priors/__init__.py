"""What is drawn at random: people, expressions, poses, cameras, light, backgrounds, occluders, what a camera does."""
