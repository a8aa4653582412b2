"""The command line, one module for each noun, imported only when one of its commands is asked for."""
