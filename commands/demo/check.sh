#!/bin/sh
# The check of the demo's project `parser`: prints each wrong line of a grammar and what it expected there.
echo 'parsing grammar.txt'
number=0 bad=0
while IFS= read -r line; do
  number=$((number + 1))
  case $line in
    'rule '*' = '*) ;;
    *)
      echo "grammar.txt:$number: error: expected 'rule NAME = WORDS', found '$line'" >&2
      bad=1
      ;;
  esac
done <grammar.txt
exit $bad
