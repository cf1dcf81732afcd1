"""What leaves a build for a device: one file for each kind of folder.

Each is a function of the build's folder and the folder to write, which returns the files it wrote.
`pipeline/cli/export.py` has a command for each.
"""
