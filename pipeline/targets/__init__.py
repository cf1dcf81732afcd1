"""Where a file is run: on this machine, as arm64 code under qemu, on another machine, on a phone."""
