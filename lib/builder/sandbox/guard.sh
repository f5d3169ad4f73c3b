#!/bin/sh
# Watches commands for guard.ts; $1 is the variable that marks their processes. Each line on
# standard input is a verb, a command's mark and its process id; the answer is the mark. At the end
# of the input, it kills every command that is still watched.
variable=$1
trap '' HUP INT TERM QUIT
watched=''
processes() {
  if [ -r /proc/self/stat ]; then
    for folder in /proc/[0-9]*; do
      { read -r line <"$folder/stat"; } 2>/dev/null || continue
      # shellcheck disable=SC2086 # fields of numbers and letters
      set -- "${folder#/proc/}" ${line##*) }
      case $2 in Z|X) continue ;; esac
      echo "$1 $3 $4 $5"
    done
  else
    ps -axo pid=,ppid=,pgid=,stat= | while read -r pid parent group state; do
      case $state in Z*) continue ;; esac
      echo "$pid $parent $group 0"
    done
  fi
}
marked() {
  [ -r /proc/self/environ ] || return 0
  grep -lsaF -e "$variable=$1" /proc/[0-9]*/environ | while IFS=/ read -r _ _ pid _; do echo "$pid"; done
}
members() {
  mark=$1 leader=$2
  found=' '
  for pid in $(marked "$mark"); do found="$found$pid "; done
  list=$(processes)
  while :; do
    before=$found
    while read -r pid parent group session; do
      case $found in *" $pid "*) continue ;; esac
      if [ "$leader" -gt 0 ] && { [ "$group" = "$leader" ] || [ "$session" = "$leader" ]; }; then
        found="$found$pid "
      else
        case $found in *" $parent "*) found="$found$pid " ;; esac
      fi
    done <<END
$list
END
    [ "$found" = "$before" ] && break
  done
  # shellcheck disable=SC2086 # one space between process ids, and nothing when there is none
  echo $found
}
reap() {
  round=0
  while [ $round -lt 100 ]; do
    targets=$(members "$1" "$2")
    [ -z "$targets" ] && return 0
    # shellcheck disable=SC2086 # a list of process ids
    kill -KILL $targets 2>/dev/null
    round=$((round + 1))
    [ $round -gt 1 ] && sleep 0.05
  done
}
ask() {
  for pid in $(members "$1" "$2"); do
    name=
    { read -r name <"/proc/$pid/comm"; } 2>/dev/null
    [ "$name" = bwrap ] || kill -TERM "$pid" 2>/dev/null
  done
}
forget() {
  left=''
  for entry in $watched; do
    case $entry in "$1":*) ;; *) left="$left $entry" ;; esac
  done
  watched=$left
}
while read -r verb mark pid; do
  case $verb in
    add) forget "$mark"; watched="$watched $mark:$pid" ;;
    term) ask "$mark" "$pid" ;;
    kill) reap "$mark" "$pid" ;;
    drop) forget "$mark" ;;
  esac
  echo "$mark"
done
for entry in $watched; do
  reap "${entry%%:*}" "${entry##*:}"
done
