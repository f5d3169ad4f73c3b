#!/bin/sh
# The build of the demo's project `letters`.
for letter in a b c; do echo "letter $letter"; done
