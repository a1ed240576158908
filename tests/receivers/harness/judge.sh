# Asks the openssl snippet: a line per question in, a line per answer out (languages.py has the form).
text() { printf %s "${1#-}" | openssl base64 -d -A; }

judged() {
  now=$2 id='' timestamp='' signatures='' WEBHOOK_SECRET=$(text "$3")
  text "$4" >body.bin
  shift 4
  while [ $# -gt 0 ]; do
    case $(text "$1") in
      webhook-id) id=$(text "$2") ;;
      webhook-timestamp) timestamp=$(text "$2") ;;
      webhook-signature) signatures=$(text "$2") ;;
    esac
    shift 2
  done
  [ "$now" = - ] || export NOW="$now"
  export WEBHOOK_SECRET
  sh verify.sh "$id" "$timestamp" "$signatures" body.bin </dev/null 2>/dev/null
}

while read -r line; do
  status=0
  # shellcheck disable=SC2086  # words are what it is made of
  (judged $line) || status=$?
  case $status in 0) echo true ;; 1) echo false ;; *) echo "status $status" ;; esac
done
