"""The outcomes of ten small projects: what is true of them whatever formats, names and words the code has."""
