#!/bin/sh
# Runs `catalog ARGUMENT...` every day at a time of day, for containers, which have no timer of their own.
#   nightly.sh HH:MM ARGUMENT...
set -u
time=$1
shift
child=
trap 'test -z "$child" || kill -TERM "$child"; wait; exit 0' TERM INT

while :; do
  now=$(date +%s)
  next=$(date --date="today $time" +%s)
  test "$next" -gt "$now" || next=$(date --date="tomorrow $time" +%s)
  sleep $((next - now)) & child=$!
  wait "$child"
  catalog "$@" & child=$!
  wait "$child"
  echo "catalog ended with exit code $?" >&2
  child=
done
