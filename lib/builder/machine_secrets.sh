#!/bin/sh
# Prints the paths in $2… that are not world-readable, and matches of the patterns in $1, which find
# files with passwords.
for place in $1; do
  if [ -d "$place" ]; then printf 'hide\tfolder\t%s\n' "$place"
  elif [ -e "$place" ]; then printf 'hide\tfile\t%s\n' "$place"; fi
done
shift
for place; do
  [ -e "$place" ] || continue
  find -H "$place" -type d ! -perm -005 -exec printf 'hide\tfolder\t%s\n' {} \; -prune \
    -o ! -type d ! -type l ! -perm -004 -exec printf 'hide\tfile\t%s\n' {} \;
done
