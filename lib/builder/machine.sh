#!/bin/sh
# Prints facts about this machine in rows of tab-separated fields. $1 is the PATH of builds; then
# come paths to hide, --, and programs to find.
search=$1
shift
for folder in /bin /sbin /lib /lib32 /lib64 /libx32; do
  if [ -L "$folder" ]; then printf 'link\t%s\t%s\n' "$folder" "$(readlink "$folder")"
  elif [ -d "$folder" ]; then printf 'folder\t%s\n' "$folder"; fi
done
for file in /etc/*; do printf 'etc\t%s\n' "${file#/etc/}"; done
printf 'home\t%s\n' "$(cd -P "$(eval echo "~$(id -un)")" 2>/dev/null && pwd -P)"
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  if [ -d "$1" ]; then printf 'hide\tfolder\t%s\n' "$(cd -P "$1" 2>/dev/null && pwd -P || echo "$1")"
  elif [ -e "$1" ]; then printf 'hide\tfile\t%s\n' "$(readlink -f "$1" || echo "$1")"; fi
  shift
done
shift
for program; do
  where=$(PATH=$search; command -v "$program") || continue
  case $where in /*) printf 'program\t%s\n' "$(readlink -f "$where" || echo "$where")" ;; esac
done
IFS=:
for folder in $search; do
  case $folder in /*) ;; *) continue ;; esac
  real=$(cd -P "$folder" 2>/dev/null && pwd -P) && printf 'path\t%s\n' "$real"
done
