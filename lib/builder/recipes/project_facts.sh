#!/bin/sh
# Prints facts about the folder $1 in the checkout $2, one per line, and the programs $3… found.
cd "$1" 2>/dev/null || exit 0
folder=${1%/} tree=$2
shift 2
script() {
  [ -f "$2" ] || return 1
  first=$(head -c 200 "$2" | head -n 1 | tr -cd ' -~')
  if [ -x "$2" ]; then printf 'script %s x %s\n' "$1" "$first"
  else printf 'script %s - %s\n' "$1" "$first"; fi
}
echo folder
script configure configure
script autogen.sh autogen.sh
while ! script gradlew "$folder/gradlew"; do
  case $folder in "$tree"/*) folder=${folder%/*} ;; *) folder=; break ;; esac
done
[ -z "$folder" ] || printf 'wrapper %s\n' "$folder/gradlew"
for file in * .[!.]*; do [ -e "$file" ] && printf 'file %s\n' "$file"; done
for program; do command -v "$program" >/dev/null 2>&1 && printf 'program %s\n' "$program"; done
for file in GNUmakefile makefile Makefile; do
  [ -f "$file" ] || continue
  for target in test check; do
    grep -Eq "^([^#:=]*[[:space:]])?$target([[:space:]][^#:=]*)?:([^=]|$)" "$file" && echo "target $target"
  done
  break
done
exit 0
