"""The emulated link: every frame that crosses it is delayed or lost on purpose, and written down."""
