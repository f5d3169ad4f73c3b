#!/bin/sh
# Names each line of a grammar that is wrong, and what was expected there: the demo's project `parser` is checked so.
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
