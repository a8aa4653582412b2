"""The domain: what things are, what is wrong, who may decide. It knows no vendor, no HTTP and no scheduler."""
