#!/usr/bin/env bash
# Asks the daemon of a workspace, shows what it says, and allows nothing:
#   examples/curl/ask.sh http://127.0.0.1:4170 "Why does the test fail?"
# The token is in THOLE_SERVER_TOKEN, and reaches curl in a file: what stands in an argument everybody can see.
set -euo pipefail
base=${1%/}/v1/sessions
prompt=${2//\\/\\\\} prompt=${prompt//\"/\\\"} prompt=${prompt//$'\n'/\\n} prompt=${prompt//$'\t'/\\t}

call() {
  curl --silent --show-error --fail-with-body -H @<(printf 'Authorization: Bearer %s' "$THOLE_SERVER_TOKEN") \
    -H 'Content-Type: application/json' "$@"
}
field() { sed -nE "s/.*\"$1\":\"?(([^\"\\\\,}]|\\\\.)*).*/\1/p"; }

session=$(call "$base" -d '{}' | field session)
id=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n') # with an id of ours the prompt may be sent again, and runs once
receipt=$(call --retry 5 --retry-connrefused "$base/$session/commands" \
  -d "{\"type\":\"prompt\",\"id\":\"$id\",\"content\":[{\"type\":\"text\",\"text\":\"$prompt\"}]}")
after=$(($(field first <<< "$receipt") - 1))

while true; do # a stream that is cut goes on after the last number that was seen
  while IFS= read -r line; do
    case $line in
      'id: '*) after=${line#id: } ;;
      'data: '*'"type":"text_piece"'*)
        printf '%s' "$line" | sed -E 's/.*"text":"(.*)"\}\}$/\1/; s/\\n/\n/g; s/\\"/"/g; s/\\\\/\\/g' ;;
      'data: '*'"type":"permission_requested"'*)
        call "$base/$session/commands" -o /dev/null \
          -d "{\"type\":\"answer_permission\",\"call\":\"$(field call <<< "$line")\",\"allow\":false,\"answers\":[]}" ;;
      'data: '*'"type":"turn_ended"'*"\"$id\""*) echo; [[ $line == *'"outcome":"completed"'* ]]; exit ;;
    esac
  done < <(call --no-buffer -H "Last-Event-ID: $after" "$base/$session/events")
  sleep 1
done
