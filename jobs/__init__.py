"""What runs, when: reading the outside, detecting, acting, verifying, and the command line."""
