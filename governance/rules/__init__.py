"""One file for each rule; the file's name is the rule's id. The rulebook finds them by walking this folder."""
