"""THE PLACE: settings models, the site loader and the example site."""
