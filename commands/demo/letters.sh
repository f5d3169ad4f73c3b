#!/bin/sh
# Prints what the demo's project `letters` builds.
for letter in a b c; do echo "letter $letter"; done
