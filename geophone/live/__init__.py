"""`geophone run`: an interface in; findings and measurements in a store, and its pages, while it is listened to."""
