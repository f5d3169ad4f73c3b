#!/bin/sh
# Prints what of the places $2… not every user may read, and what the patterns in $1, which people give files with
# passwords, match.
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
