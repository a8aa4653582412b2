"""Read models for pages, command line and exports: one for every number, paged by keys, never more than a page."""
